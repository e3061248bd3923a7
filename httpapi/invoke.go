package httpapi

import (
	"net/http"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// form is the way in which a path names a handler.
type form uint8

const (
	// formBare is /{service}[/{key}]/{handler}[/send].
	formBare form = iota
	// formCall and formSend are the same behind /restate/call and
	// /restate/send.
	formCall
	formSend
)

// target is what a path names.
type target struct {
	service *service
	handler *handler
	key     string
	send    bool
}

// resolve finds the target of a call or send. Whether a segment is a key
// follows from the service, before the handler is looked up.
func (s *Server) resolve(parts []string, f form) (t target, fail *failure) {
	if len(parts) == 0 {
		return t, badRequest("the path names no service")
	}
	if t.service = s.services[parts[0]]; t.service == nil {
		return t, s.services.noService(parts[0])
	}
	parts, t.send = parts[1:], f == formSend
	if t.service.keyed {
		if len(parts) < 2 {
			return t, badRequest("service '" + t.service.name + "' is addressed by key: /" + t.service.name + "/{key}/{handler}")
		}
		if t.key, fail = decodeKey(parts[0]); fail != nil {
			return t, fail
		}
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return t, badRequest("the path names no handler")
	}
	name, extra := parts[0], parts[1:]
	if f == formBare && len(extra) == 1 && extra[0] == "send" {
		t.send, extra = true, nil
	}
	t.handler = t.service.handlers[name]
	switch {
	case len(extra) > 0 && t.handler == nil && !t.service.keyed:
		return t, badRequest("service " + t.service.name + " has no keys: call it without one: /" + t.service.name + "/{handler}")
	case len(extra) > 0:
		return t, badRequest("the path goes on behind the handler '" + name + "'")
	case t.handler == nil:
		return t, t.service.noHandler(name)
	}
	return t, nil
}

// invoke calls a handler or sends to it.
func (s *Server) invoke(x *exchange, parts []string, f form) error {
	t, fail := s.resolve(parts, f)
	if fail != nil {
		return fail
	}
	request, fail, err := s.readRequest(x, &t)
	if fail != nil {
		return fail
	}
	if err != nil {
		return err
	}
	if t.send {
		return s.send(x, request)
	}
	x.slot.free()
	response, err := s.rt.Call(x.r.Context(), request)
	if err != nil {
		return err
	}
	return s.writeResult(x, response, t.handler.output)
}

func (s *Server) send(x *exchange, request actors.Request) error {
	accepted, err := s.rt.Send(x.r.Context(), request)
	if err != nil {
		return err
	}
	startAt := accepted.StartAt
	if startAt.IsZero() && request.Delay != nil && !accepted.Previously {
		startAt = time.Now().Add(*request.Delay)
	}
	return s.writeAccepted(x, accepted, startAt)
}

// readRequest checks everything about a request for t in the order in which
// clients may rely on the first failure, and reads the body on the way.
func (s *Server) readRequest(x *exchange, t *target) (request actors.Request, fail *failure, err error) {
	key := first(x.r.Header, headerIdempotencyKey)
	if fail = checkHandler(x, t, key); fail != nil {
		return request, fail, nil
	}
	body, err := s.readBodyBy(&x.body, x.conn, x.r)
	if err != nil {
		return request, nil, err
	}
	if fail = t.handler.input.check(first(x.r.Header, headerContentType), body); fail != nil {
		return request, fail, nil
	}
	request = actors.Request{
		Service: t.service.name, Key: t.key, Handler: t.handler.name,
		Body: body, IdempotencyKey: key, Origin: machine.ByIngress,
	}
	q := parseQuery(x.r.URL.RawQuery)
	if q.hasDelay {
		delay, err := parseDelay(q.delay)
		if err != nil {
			return request, nil, err
		}
		request.Delay = &delay
	}
	if q.hasLimit || x.r.Header[headerLimitKey] != nil {
		return request, badRequest("limit keys need a scope, and scopes are not supported"), nil
	}
	if request.Headers, fail = handlerHeaders(x.r, x.pathAndQuery); fail != nil {
		return request, fail, nil
	}
	if q.hasDelay && !t.send {
		return request, badRequest("a call cannot be delayed: send it"), nil
	}
	return request, nil, nil
}

// checkHandler makes the checks that come before the body.
func checkHandler(x *exchange, t *target, idempotencyKey string) *failure {
	switch {
	case t.handler.private:
		return badRequest("handler '" + t.handler.name + "' may be called by other handlers only")
	case t.handler.kind == ident.KindWorkflow && idempotencyKey != "":
		return badRequest("a workflow runs once per key, so its run handler takes no idempotency key")
	case len(idempotencyKey) > maxKeyBytes:
		return badRequest("the idempotency key is longer than 1024 bytes")
	}
	return x.method(http.MethodGet, http.MethodPost)
}
