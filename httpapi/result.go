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
		if f := checkVerb(x, parts[1]); f != nil {
			return f
		}
		return s.serveByID(x, parts[1], parts[0])
	}
	return s.routeIdempotent(x, parts)
}

// routeIdempotent serves a result that is named by idempotency key.
func (s *Server) routeIdempotent(x *exchange, parts []string) error {
	service := s.services[parts[0]]
	if service == nil {
		return s.services.noService(parts[0])
	}
	t := ident.Target{Service: service.name, Kind: ident.KindService}
	key, parts := "", parts[1:]
	if service.keyed {
		key, parts, t.Kind = parts[0], parts[1:], ident.KindShared
	}
	if len(parts) < 3 {
		return badRequest("the path ends with handler, idempotency key, and attach or output")
	}
	if f := checkVerb(x, parts[2]); f != nil {
		return f
	}
	var f *failure
	if t.Key, f = decodeKey(key); f != nil {
		return f
	}
	t.Handler = parts[0]
	if f := checkIdempotent(t.Handler, parts[1]); f != nil {
		return f
	}
	return s.serveResult(x, parts[2], ident.IdempotentID(t, parts[1]), s.services.find(t))
}

// routeWorkflow serves /restate/workflow/{name}/{key}/attach|output.
func (s *Server) routeWorkflow(x *exchange, parts []string) error {
	if len(parts) < 3 {
		return badRequest("the path is /restate/workflow/{name}/{key}/attach or /output")
	}
	if f := checkVerb(x, parts[2]); f != nil {
		return f
	}
	if len(parts[0]) > maxNameBytes {
		return badRequest(longWorkflow)
	}
	key, f := decodeKey(parts[1])
	if f != nil {
		return f
	}
	return s.serveResult(x, parts[2], ident.WorkflowID(parts[0], key), s.services.run(parts[0]))
}

// checkVerb checks verb and method, in this order.
func checkVerb(x *exchange, verb string) *failure {
	if !isVerb(verb) {
		return notFound("no such route")
	}
	return x.method(http.MethodGet)
}

// longWorkflow refuses a name that no workflow can have.
const longWorkflow = "the name of the workflow is longer than 255 bytes"

// checkIdempotent refuses what no invocation can have been made with.
func checkIdempotent(handler, idempotencyKey string) *failure {
	switch {
	case len(handler) > maxNameBytes:
		return badRequest("the name of the handler is longer than 255 bytes")
	case len(idempotencyKey) > maxKeyBytes:
		return badRequest("the idempotency key is longer than 1024 bytes")
	}
	return nil
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
		if x.r.Method == http.MethodGet { // that of a POST was read, and names the invocation
			if err := s.skipBody(x.r); err != nil {
				return err
			}
		}
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
	return s.writeResult(x, response, outputOf(h, response.Result.Value))
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
		return outputRule{contentType: newAlways(contentTypeJSON)}
	default:
		return outputRule{contentType: newAlways("application/octet-stream")}
	}
}
