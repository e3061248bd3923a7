package actors

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// transport reaches a runtime of the same process for an ingress.Client.
type transport struct{ rt *Runtime }

var (
	_ ingress.Transport        = (*transport)(nil)
	_ ingress.DefinitionSource = (*transport)(nil)
)

// Definition implements ingress.DefinitionSource.
func (t *transport) Definition(service string) objects.ServiceDefinition {
	def, _ := t.rt.Definition(service)
	return def
}

// Call implements ingress.Transport.
func (t *transport) Call(ctx context.Context, r ingress.Request) (ingress.Response, error) {
	q, err := t.request(r)
	if err != nil {
		return ingress.Response{}, err
	}
	return resultOf(t.rt.Call(ctx, q))
}

// Send implements ingress.Transport.
func (t *transport) Send(ctx context.Context, r ingress.Request) (ingress.Sent, error) {
	q, err := t.request(r)
	if err != nil {
		return ingress.Sent{}, err
	}
	a, err := t.rt.Send(ctx, q)
	if err != nil {
		return ingress.Sent{}, refusal(err)
	}
	status := "Accepted"
	if a.Previously {
		status = "PreviouslyAccepted"
	}
	return ingress.Sent{InvocationID: a.ID.String(), Status: status}, nil
}

// Attach implements ingress.Transport.
func (t *transport) Attach(ctx context.Context, invocationID string) (ingress.Response, error) {
	id, err := ident.ParseInvocationID(invocationID)
	if err != nil {
		return ingress.Response{}, ingress.NewError(400, err.Error(), err)
	}
	r, err := t.rt.Attach(ctx, id)
	return resultOf(r, unnamed(err))
}

// Output implements ingress.Transport.
func (t *transport) Output(ctx context.Context, invocationID string) (ingress.Response, error) {
	id, err := ident.ParseInvocationID(invocationID)
	if err != nil {
		return ingress.Response{}, ingress.NewError(400, err.Error(), err)
	}
	r, err := t.rt.Output(ctx, id)
	return resultOf(r, unnamed(err))
}

// Complete implements ingress.Transport.
func (t *transport) Complete(ctx context.Context, awakeableID string, value []byte, reason error) error {
	id, err := ident.ParseAwakeableID(awakeableID)
	switch {
	case errors.Is(err, ident.ErrForeignAwakeable):
		return ingress.NewError(404, err.Error(), err)
	case err != nil:
		return ingress.NewError(400, err.Error(), err)
	}
	if _, err := t.rt.Signal(ctx, id.Invocation, journal.SignalID(id.Index), completion(value, reason)); err != nil {
		return refusal(unnamed(err))
	}
	return nil
}

// Signal implements ingress.Transport.
func (t *transport) Signal(ctx context.Context, invocationID, name string, value []byte, reason error) error {
	id, err := ident.ParseInvocationID(invocationID)
	if err != nil {
		return ingress.NewError(400, err.Error(), err)
	}
	if _, err := t.rt.Signal(ctx, id, journal.NamedSignalID(name), completion(value, reason)); err != nil {
		return refusal(unnamed(err))
	}
	return nil
}

// completion is what a wait ends with: value, or reason when it is not nil.
func completion(value []byte, reason error) journal.Result {
	if reason == nil {
		return journal.ValueOf(value)
	}
	terminal := objects.AsTerminalError(reason)
	if terminal == nil {
		terminal = objects.ToTerminalError(reason)
	}
	return journal.Result{Kind: journal.ResultFailure, Failure: objects.FailureOf(terminal)}
}

// Operate implements ingress.Transport.
func (t *transport) Operate(ctx context.Context, op ingress.Operation, invocationID string) error {
	id, err := ident.ParseInvocationID(invocationID)
	if err != nil {
		return ingress.NewError(400, err.Error(), err)
	}
	operation, known := operationOf(op)
	if !known {
		return ingress.NewError(400, "there is no operation "+string(op), nil)
	}
	if _, err := t.rt.Operate(ctx, operation, id); err != nil {
		return refusal(unnamed(err))
	}
	return nil
}

// Restart implements ingress.Transport.
func (t *transport) Restart(ctx context.Context, invocationID string, from uint32) (newID string, err error) {
	id, err := ident.ParseInvocationID(invocationID)
	if err != nil {
		return "", ingress.NewError(400, err.Error(), err)
	}
	made, err := t.rt.RestartAsNew(ctx, id, from)
	if err != nil {
		return "", refusal(unnamed(err))
	}
	return made.String(), nil
}

// EditState implements ingress.Transport.
func (t *transport) EditState(ctx context.Context, p ingress.StatePatch) error {
	if err := t.rt.EditState(ctx, StatePatch(p)); err != nil {
		return refusal(unnamed(err))
	}
	return nil
}

func operationOf(op ingress.Operation) (machine.Operation, bool) {
	switch op {
	case ingress.OperationCancel:
		return machine.OpCancel, true
	case ingress.OperationKill:
		return machine.OpKill, true
	case ingress.OperationPause:
		return machine.OpPause, true
	case ingress.OperationResume:
		return machine.OpResume, true
	case ingress.OperationPurge:
		return machine.OpPurge, true
	case ingress.OperationPurgeJournal:
		return machine.OpPurgeJournal, true
	default:
		return 0, false
	}
}

// request turns a request of a client into one of the runtime. Headers are in
// lower case, as those that come over HTTP.
func (t *transport) request(r ingress.Request) (Request, error) {
	if def, bound := t.rt.Definition(r.Service); bound && r.Keyed != (def.Type() != objects.ServiceTypeService) {
		message := "service " + r.Service + " has no keys: call it without one"
		if !r.Keyed {
			message = "service " + r.Service + " has keys: call it with one"
		}
		return Request{}, ingress.NewError(400, message, ErrInvalid)
	}
	q := Request{
		Service: r.Service, Key: r.Key, Handler: r.Handler, Body: r.Body,
		IdempotencyKey: r.IdempotencyKey, Delay: r.Delay, Origin: machine.ByProcess,
	}
	contentType := r.ContentType
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		lower := strings.ToLower(name)
		if lower == "content-type" {
			contentType = r.Headers[name]
			continue
		}
		q.Headers = append(q.Headers, journal.Header{Key: lower, Value: r.Headers[name]})
	}
	if contentType != "" {
		q.Headers = append(q.Headers, journal.Header{Key: "content-type", Value: contentType})
	}
	return q, nil
}

// resultOf turns a failed invocation into an error.
func resultOf(r Response, err error) (ingress.Response, error) {
	if err != nil {
		return ingress.Response{}, refusal(err)
	}
	if r.Result.Kind == journal.ResultFailure {
		return ingress.Response{}, ingress.NewInvocationError(objects.TerminalErrorFrom(r.Result.Failure))
	}
	return ingress.Response{InvocationID: r.ID.String(), Body: r.Result.Value}, nil
}

// refusal gives an error of the runtime the code that it has over HTTP. Errors
// of the caller's context, and an outcome that is unknown, stay as they are:
// neither says that nothing was accepted.
func refusal(err error) error {
	if code := refusalCode(err); code != 0 {
		return ingress.NewError(code, err.Error(), err)
	}
	return err
}

// unnamed takes operation and id off an error that is no refusal: the client
// puts its own in front of it.
func unnamed(err error) error {
	if inner := errors.Unwrap(err); inner != nil && refusalCode(err) == 0 {
		return inner
	}
	return err
}

func refusalCode(err error) objects.Code {
	var status *StatusError
	var overloaded *OverloadedError
	var quarantined *QuarantinedError
	switch {
	case errors.As(err, &quarantined): // first: its cause may be any error
		return 500
	case errors.Is(err, ErrUnknownService), errors.Is(err, ErrUnknownHandler), errors.Is(err, ErrUnknownInvocation):
		return 404
	case errors.Is(err, ErrNotReady):
		return 470
	case errors.Is(err, ErrTooManySignals):
		return 429
	case errors.Is(err, ErrNotRestartable):
		return 422
	case errors.Is(err, ErrJournalGone):
		return 410
	case errors.Is(err, ErrPrivate), errors.Is(err, ErrInvalid):
		return 400
	case errors.Is(err, ErrTooLarge):
		return 413
	case errors.Is(err, ErrLowSpace):
		return 507
	case errors.Is(err, ErrStopped):
		return 503
	case errors.As(err, &status) && status.TooEarly:
		return 425
	case errors.As(err, &status):
		return 409
	case errors.As(err, &overloaded) && overloaded.Requests:
		return 429
	case errors.As(err, &overloaded):
		return 503
	default:
		return 0
	}
}
