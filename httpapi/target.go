package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// jsonTarget names an invocation in the body of a request.
type jsonTarget struct {
	Target         string  `json:"target"`
	InvocationID   string  `json:"invocationId"`
	Service        string  `json:"service"`
	Key            *string `json:"key"`
	Handler        string  `json:"handler"`
	IdempotencyKey string  `json:"idempotencyKey"`
	WorkflowName   string  `json:"workflowName"`
	WorkflowKey    *string `json:"workflowKey"`
	Scope          *string `json:"scope"`
}

// readJSONTarget reads a body. Ids are made of the bytes of names and keys, so
// that a character that json would replace must not pass: the id would be that
// of another key.
func readJSONTarget(body []byte) (t jsonTarget, fail *failure) {
	if !utf8.Valid(body) {
		return t, badRequest("the body is no JSON target: it is not valid UTF-8")
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return t, badRequest("the body is no JSON target: " + err.Error())
	}
	if t.hasReplacement() && !writesReplacement(body) {
		return t, badRequest("the body is no JSON target: it has half of a surrogate pair")
	}
	return t, nil
}

// hasReplacement reports whether a string of t has the character that stands
// for what is none.
func (t *jsonTarget) hasReplacement() bool {
	all := t.Target + t.InvocationID + t.Service + t.Handler + t.IdempotencyKey + t.WorkflowName
	for _, s := range []*string{t.Key, t.WorkflowKey, t.Scope} {
		if s != nil {
			all += *s
		}
	}
	return strings.ContainsRune(all, utf8.RuneError)
}

// writesReplacement reports whether a body has that character itself.
func writesReplacement(body []byte) bool {
	return bytes.ContainsRune(body, utf8.RuneError) || bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`))
}

// serveJSONTarget serves a request whose body names the invocation. Lookup
// computes the id and does not ask whether it exists.
func (s *Server) serveJSONTarget(x *exchange, verb string) error {
	body, err := s.readBodyBy(&x.body, x.conn, x.r)
	if err != nil {
		return err
	}
	t, f := readJSONTarget(body)
	if f != nil {
		return f
	}
	if t.Scope != nil {
		return badRequest("scopes are not supported")
	}
	id, h, err := s.resolveJSONTarget(&t)
	if err != nil {
		return err
	}
	if verb != verbLookup {
		return s.serveResult(x, verb, id, h)
	}
	return s.writeJSON(x.w, http.StatusOK, []byte(`{"invocationId":"`+id.String()+`"}`))
}

// resolveJSONTarget returns the id that t names, and its handler when t names
// that too.
func (s *Server) resolveJSONTarget(t *jsonTarget) (id ident.InvocationID, h *handler, err error) {
	switch t.Target {
	case "invocation":
		id, err = ident.ParseInvocationID(t.InvocationID)
		return id, nil, err
	case "workflow":
		return s.resolveWorkflow(t)
	case "idempotentInvocation":
		return s.resolveIdempotent(t)
	default:
		return id, nil, badRequest("target is one of invocation, idempotentInvocation and workflow")
	}
}

func (s *Server) resolveWorkflow(t *jsonTarget) (id ident.InvocationID, h *handler, err error) {
	switch {
	case t.WorkflowName == "" || t.WorkflowKey == nil:
		return id, nil, badRequest("a workflow target has workflowName and workflowKey")
	case len(t.WorkflowName) > maxNameBytes:
		return id, nil, badRequest(longWorkflow)
	case len(*t.WorkflowKey) > maxKeyBytes:
		return id, nil, badRequest("workflowKey is longer than 1024 bytes")
	}
	return ident.WorkflowID(t.WorkflowName, *t.WorkflowKey), s.services.run(t.WorkflowName), nil
}

func (s *Server) resolveIdempotent(t *jsonTarget) (id ident.InvocationID, h *handler, err error) {
	service := s.services[t.Service]
	switch {
	case service == nil:
		return id, nil, s.services.noService(t.Service)
	case t.Handler == "" || t.IdempotencyKey == "":
		return id, nil, badRequest("an idempotentInvocation target has handler and idempotencyKey")
	case service.keyed != (t.Key != nil):
		return id, nil, badRequest("key is given for objects and workflows, and for no other service")
	case t.Key != nil && len(*t.Key) > maxKeyBytes:
		return id, nil, badRequest("key is longer than 1024 bytes")
	}
	if f := checkIdempotent(t.Handler, t.IdempotencyKey); f != nil {
		return id, nil, f
	}
	named := ident.Target{Service: t.Service, Handler: t.Handler, Kind: ident.KindService}
	if t.Key != nil {
		named.Key, named.Kind = *t.Key, ident.KindShared
	}
	return ident.IdempotentID(named, t.IdempotencyKey), s.services.find(named), nil
}
