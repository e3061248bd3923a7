package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
)

// Verbs of the routes that ask for a result.
const (
	verbAttach = "attach"
	verbOutput = "output"
	verbLookup = "lookup"
)

func isVerb(s string) bool { return s == verbAttach || s == verbOutput }

// routeInvocation serves /restate/invocation/…: an id and a verb, or a service,
// a key for keyed ones, a handler, an idempotency key and a verb. What follows
// the verb is ignored.
func (s *Server) routeInvocation(x *exchange, parts []string) error {
	switch {
	case len(parts) < 2:
		return badRequest("the path is /restate/invocation/{id}/attach or /output")
	case len(parts) == 2:
		if !isVerb(parts[1]) {
			return notFound("no such route")
		}
		if f := x.method(http.MethodGet); f != nil {
			return f
		}
		return s.serveByID(x, parts[1], parts[0])
	}
	service := s.services[parts[0]]
	if service == nil {
		return s.services.noService(parts[0])
	}
	t := ident.Target{Service: service.name, Kind: ident.KindService}
	parts = parts[1:]
	if service.keyed {
		key, f := decodeKey(parts[0])
		if f != nil {
			return f
		}
		t.Key, t.Kind, parts = key, ident.KindShared, parts[1:]
	}
	if len(parts) < 3 {
		return badRequest("the path ends with handler, idempotency key, and attach or output")
	}
	t.Handler = parts[0]
	return s.serveVerb(x, parts[2], ident.IdempotentID(t, parts[1]), s.services.find(t))
}

// routeWorkflow serves /restate/workflow/{name}/{key}/attach|output.
func (s *Server) routeWorkflow(x *exchange, parts []string) error {
	if len(parts) < 3 {
		return badRequest("the path is /restate/workflow/{name}/{key}/attach or /output")
	}
	key, f := decodeKey(parts[1])
	if f != nil {
		return f
	}
	return s.serveVerb(x, parts[2], ident.WorkflowID(parts[0], key), s.services.run(parts[0]))
}

// serveVerb checks verb and method, in this order, and serves the result.
func (s *Server) serveVerb(x *exchange, verb string, id ident.InvocationID, h *handler) error {
	if !isVerb(verb) {
		return notFound("no such route")
	}
	if f := x.method(http.MethodGet); f != nil {
		return f
	}
	return s.serveResult(x, verb, id, h)
}

// routeTarget serves /restate/attach/{id} and /restate/output/{id}, and the
// three routes whose target is a JSON body.
func (s *Server) routeTarget(x *exchange, verb string, parts []string) error {
	switch {
	case len(parts) == 0:
		if f := x.method(http.MethodPost); f != nil {
			return f
		}
		return s.serveJSONTarget(x, verb)
	case len(parts) > 1 || verb == verbLookup:
		return notFound("no such route")
	}
	if f := x.method(http.MethodGet); f != nil {
		return f
	}
	return s.serveByID(x, verb, parts[0])
}

func (s *Server) serveByID(x *exchange, verb, text string) error {
	id, err := ident.ParseInvocationID(text)
	if err != nil {
		return err
	}
	return s.serveResult(x, verb, id, nil)
}

// serveResult waits for a result, or only looks for it. h is the handler when
// the request names it, nil otherwise.
func (s *Server) serveResult(x *exchange, verb string, id ident.InvocationID, h *handler) error {
	ctx := x.r.Context()
	if verb == verbAttach {
		x.slot.free()
	}
	if h == nil {
		// While it runs the record is sure to be there; with no retention it
		// is gone when the result arrives.
		h = s.handlerOf(ctx, id)
	}
	ask := s.rt.Attach
	if verb == verbOutput {
		ask = s.rt.Output
	}
	response, err := ask(ctx, id)
	switch {
	case verb == verbAttach && errors.Is(err, actors.ErrUnknownInvocation):
		return ofInvocation(http.StatusNotFound, err, id)
	case err != nil:
		return err
	}
	if h == nil {
		h = s.handlerOf(ctx, id)
	}
	return s.writeResult(x.w, response, outputOf(h, response.Result.Value))
}

// handlerOf returns the handler of an invocation, nil when its record or its
// handler is not there.
func (s *Server) handlerOf(ctx context.Context, id ident.InvocationID) *handler {
	found, err := s.rt.Inspect(ctx, id, actors.InspectOptions{})
	if err != nil {
		return nil
	}
	return s.services.find(found.Invocation.Target)
}

// outputOf returns the rule of h. What a handler left that this build does not
// know is called JSON when it is, and bytes otherwise.
func outputOf(h *handler, value []byte) outputRule {
	switch {
	case h != nil:
		return h.output
	case json.Valid(value):
		return outputRule{contentType: contentTypeJSON}
	default:
		return outputRule{contentType: "application/octet-stream"}
	}
}

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

// serveJSONTarget serves a request whose body names the invocation. Lookup
// computes the id and does not ask whether it exists.
func (s *Server) serveJSONTarget(x *exchange, verb string) error {
	body, err := s.readBody(x.r)
	if err != nil {
		return err
	}
	var t jsonTarget
	if err := json.Unmarshal(body, &t); err != nil {
		return badRequest("the body is no JSON target: " + err.Error())
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
		if t.WorkflowName == "" || t.WorkflowKey == nil {
			return id, nil, badRequest("a workflow target has workflowName and workflowKey")
		}
		return ident.WorkflowID(t.WorkflowName, *t.WorkflowKey), s.services.run(t.WorkflowName), nil
	case "idempotentInvocation":
		return s.resolveIdempotent(t)
	default:
		return id, nil, badRequest("target is one of invocation, idempotentInvocation and workflow")
	}
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
	}
	named := ident.Target{Service: t.Service, Handler: t.Handler, Kind: ident.KindService}
	if t.Key != nil {
		named.Key, named.Kind = *t.Key, ident.KindShared
	}
	return ident.IdempotentID(named, t.IdempotencyKey), s.services.find(named), nil
}
