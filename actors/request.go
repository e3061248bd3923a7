package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of what a request names, in bytes.
const (
	maxNameBytes   = 255
	maxKeyBytes    = 1024
	maxHeaderBytes = 64 << 10
)

// errHalted ends the requests that wait when the runtime stops.
var errHalted = errors.New("the runtime stopped while the request was under way")

// request is one request that waits for its answer. The table of waiters points
// to it while it waits, and whoever takes it out of the table gives it its
// answer. So when that was done, or when it was taken out without, nobody but its
// own goroutine knows it, and its memory serves the next request.
type request struct {
	wake   Signal
	mu     sync.Mutex
	over   bool
	answer machine.Answer
	err    error
}

// finish implements requester. It notifies under the lock: the waiter may give r away
// as soon as it has seen the answer.
func (r *request) finish(a machine.Answer, err error) {
	r.mu.Lock()
	r.over, r.answer, r.err = true, a, err
	r.wake.Notify()
	r.mu.Unlock()
}

func (r *request) result() (machine.Answer, error, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer, r.err, r.over
}

// newRequest returns a request that nobody knows. Its signal may hold a
// notification of an earlier life, so who waits looks whether it is over.
func (rt *Runtime) newRequest() *request {
	if r, kept := rt.requests.Get().(*request); kept {
		return r
	}
	return &request{wake: rt.sched.Signal()}
}

// forget takes back a request that nobody knows any more.
func (rt *Runtime) forget(r *request) {
	r.over, r.answer, r.err = false, machine.Answer{}, nil
	rt.requests.Put(r)
}

// Call invokes a handler and waits for its result, which may be a failure. When
// ctx ends it returns its cause, and the invocation goes on. Its errors are
// those of errors.go: what was refused was not stored, and after an
// *OutcomeUnknownError the invocation can be attached to. It may be called
// concurrently.
func (rt *Runtime) Call(ctx context.Context, r Request) (Response, error) {
	if r.Delay != nil {
		return Response{}, fmt.Errorf("call %s/%s: %w: a call cannot be delayed: send it instead", r.Service, r.Handler, ErrInvalid)
	}
	ev, err := rt.invocation(r)
	if err != nil {
		return Response{}, err
	}
	a, err := rt.invoke(ctx, ev)
	if err != nil {
		return Response{}, err
	}
	return responseOf(a), nil
}

// Send invokes a handler and returns when the invocation is durable. Errors and
// concurrency are those of Call.
func (rt *Runtime) Send(ctx context.Context, r Request) (Accepted, error) {
	ev, err := rt.invocation(r)
	if err != nil {
		return Accepted{}, err
	}
	ev.AnswerAccepted = true
	if r.Delay != nil {
		ev.StartAt = rt.clock.Now().Add(*r.Delay).UnixMilli()
	}
	a, err := rt.invoke(ctx, ev)
	if err != nil {
		return Accepted{}, err
	}
	accepted := Accepted{ID: ev.ID, Previously: a.Kind == machine.AnswerPreviouslyAccepted, StartAt: timeOf(a.StartAt)}
	if r.Delay != nil && !accepted.Previously {
		accepted.StartAt = timeOf(ev.StartAt)
	}
	return accepted, nil
}

func (rt *Runtime) invoke(ctx context.Context, ev *machine.Invoke) (machine.Answer, error) {
	permit, err := rt.admission.acquire(len(ev.Value))
	if err != nil {
		return machine.Answer{}, fmt.Errorf("invoke %s: %w", ev.Target, err)
	}
	key := ident.ObjectKeyOf(ev.Target, ev.ID)
	env := &envelope{event: ev, permit: permit, origin: rt.route(ev, key)}
	return rt.ask(ctx, key, ev.ID, env, func(t machine.Token) { ev.Token = t })
}

// Attach waits for the result of an invocation.
func (rt *Runtime) Attach(ctx context.Context, id ident.InvocationID) (Response, error) {
	ev := &machine.Attach{ID: id}
	a, err := rt.address(ctx, id, ev, 0, func(t machine.Token) { ev.Token = t })
	if err != nil {
		return Response{}, fmt.Errorf("attach to %s: %w", id, err)
	}
	return responseOf(a), nil
}

// Output returns the result of a completed invocation, and ErrNotReady before.
func (rt *Runtime) Output(ctx context.Context, id ident.InvocationID) (Response, error) {
	ev := &machine.Attach{ID: id, Peek: true}
	a, err := rt.address(ctx, id, ev, 0, func(t machine.Token) { ev.Token = t })
	switch {
	case err != nil:
		return Response{}, fmt.Errorf("output of %s: %w", id, err)
	case a.Kind == machine.AnswerNotReady:
		return Response{}, fmt.Errorf("output of %s: %w", id, ErrNotReady)
	}
	return responseOf(a), nil
}

// Signal sends an invocation a signal: the answer of an awakeable, or one with a
// name. It returns when the signal is durable, or was before.
func (rt *Runtime) Signal(ctx context.Context, id ident.InvocationID, signal journal.NotificationID, r journal.Result) (SignalOutcome, error) {
	size := len(r.Value)
	if r.Failure != nil {
		size += len(r.Failure.Message)
	}
	switch {
	case size > rt.options.MaxPayload:
		return 0, fmt.Errorf("signal %s: %w: it has %d bytes, at most %d are allowed", id, ErrTooLarge, size, rt.options.MaxPayload)
	case len(signal.Name) > maxNameBytes || !utf8.ValidString(signal.Name):
		return 0, fmt.Errorf("signal %s: %w: the name has more than %d bytes or is not UTF-8", id, ErrInvalid, maxNameBytes)
	}
	ev := &machine.Signal{ID: id, Signal: signal, Result: r}
	a, err := rt.address(ctx, id, ev, size, func(t machine.Token) { ev.Token = t })
	switch {
	case errors.Is(err, ErrUnknownInvocation) && signal.Signal >= ident.FirstAwakeable && rt.remembered(id):
		return SignalCompleted, nil
	case err != nil:
		return 0, fmt.Errorf("signal %s: %w", id, err)
	case a.Kind == machine.AnswerDuplicate:
		return SignalDuplicate, nil
	case a.Kind == machine.AnswerCompleted:
		return SignalCompleted, nil
	case a.Kind == machine.AnswerUnread:
		return 0, fmt.Errorf("signal %s: %w: %d are queued, send it again when it has taken some", id, ErrTooManySignals, machine.MaxUnread)
	}
	return SignalApplied, nil
}

// remembered reports whether an invocation that is gone had issued an awakeable
// not long ago.
func (rt *Runtime) remembered(id ident.InvocationID) (known bool) {
	err := rt.options.Store.Read(func(r persistence.Reader) error {
		row, err := r.Get((&machine.MarkerRow{ID: id}).Key())
		known = row != nil
		return err
	})
	return known && err == nil
}

// Operate cancels, kills, pauses, resumes or purges an invocation, or purges its
// journal. It returns when that is durable; stored says that it will take effect later. A status
// that does not allow it is a *StatusError.
func (rt *Runtime) Operate(ctx context.Context, op machine.Operation, id ident.InvocationID) (stored bool, err error) {
	ev := &machine.Operate{ID: id, Op: op}
	a, err := rt.address(ctx, id, ev, 0, func(t machine.Token) { ev.Token = t })
	if err != nil {
		return false, fmt.Errorf("%s %s: %w", op, id, err)
	}
	switch a.Kind {
	case machine.AnswerConflict, machine.AnswerTooEarly:
		return false, rt.statusError(op, id, a)
	default:
		return a.Kind == machine.AnswerStored, nil
	}
}

// address sends an event to the key of an invocation, and turns "no such
// invocation" into an error.
func (rt *Runtime) address(ctx context.Context, id ident.InvocationID, ev machine.Event, bytes int, name func(machine.Token)) (machine.Answer, error) {
	permit, err := rt.admission.acquire(bytes)
	if err != nil && !errors.Is(err, ErrLowSpace) { // what was accepted may go on
		return machine.Answer{}, err
	}
	key, known, err := rt.findFor(ev, id)
	switch {
	case errors.Is(err, persistence.ErrClosed):
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	case err == nil && !known:
		err = ErrUnknownInvocation
	}
	if err != nil {
		permit.release()
		return machine.Answer{}, err
	}
	a, err := rt.ask(ctx, key, id, &envelope{event: ev, permit: permit}, name)
	if err == nil && a.Kind == machine.AnswerUnknown {
		err = ErrUnknownInvocation
	}
	return a, err
}

// ask delivers an event and waits for its answer. name puts the token into the
// event. The waiter is registered first, so that no answer is early.
func (rt *Runtime) ask(ctx context.Context, key ident.ObjectKey, id ident.InvocationID, env *envelope, name func(machine.Token)) (machine.Answer, error) {
	r := rt.newRequest()
	token := rt.waiters.registerFor(key, r)
	name(token)
	// Whoever fails all waiters has set failed before.
	if rt.failed.Load() || !rt.registry.deliver(key, id.Partition(), env) {
		if rt.waiters.drop(token) {
			rt.forget(r)
		}
		env.permit.release()
		rt.settle(&env.origin)
		return machine.Answer{}, ErrStopped
	}
	a, err := rt.await(ctx, r, token)
	if errors.Is(err, errHalted) {
		return a, &OutcomeUnknownError{ID: id}
	}
	return a, err
}

// await waits for the answer of a request, or until ctx ends, and forgets the
// request. A client that leaves when its answer has been given still gets it.
func (rt *Runtime) await(ctx context.Context, r *request, token machine.Token) (machine.Answer, error) {
	done := ctx.Done()
	for {
		if a, err, over := r.result(); over {
			rt.forget(r)
			return a, err
		}
		if done != nil && ctx.Err() != nil {
			if rt.waiters.drop(token) {
				rt.forget(r)
				return machine.Answer{}, context.Cause(ctx)
			}
			done = nil // it has been taken out for its answer, which comes at once
		}
		r.wake.WaitOr(done)
	}
}

func responseOf(a machine.Answer) Response {
	return Response{ID: a.ID, Result: a.Result, ExpiresAt: timeOf(a.ExpiresAt)}
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// invocation checks a request and makes the event that it stands for.
func (rt *Runtime) invocation(r Request) (*machine.Invoke, error) {
	b, err := rt.target(r)
	if err != nil {
		return nil, err
	}
	if err := rt.checkSizes(r); err != nil {
		return nil, fmt.Errorf("invoke %s/%s: %w", r.Service, r.Handler, err)
	}
	if b.kind == ident.KindWorkflow && r.IdempotencyKey != "" {
		return nil, fmt.Errorf("invoke %s/%s: %w: the run handler of a workflow takes no idempotency key: the workflow id is one", r.Service, r.Handler, ErrInvalid)
	}
	t := ident.Target{Service: r.Service, Key: r.Key, Handler: r.Handler, Kind: b.kind}
	if !t.Keyed() {
		t.Key = ""
	}
	id := rt.newID(t, r.IdempotencyKey)
	return &machine.Invoke{
		ID: id, Alias: rt.alias(b, id), Target: t, Headers: r.Headers, Value: r.Body,
		IdempotencyKey: r.IdempotencyKey, InvokedBy: r.Origin,
		RandomSeed: rt.random.seed(), Retention: b.retention(r.IdempotencyKey),
	}, nil
}

func (rt *Runtime) target(r Request) (*binding, error) {
	service := rt.bindings[r.Service]
	if service == nil {
		return nil, fmt.Errorf("%w: no service is called %q", ErrUnknownService, r.Service)
	}
	b := service.handlers[r.Handler]
	if b == nil {
		return nil, fmt.Errorf("%w: service %q has no handler %q", ErrUnknownHandler, r.Service, r.Handler)
	}
	if b.settings.IngressPrivate {
		return nil, fmt.Errorf("invoke %s/%s: %w", r.Service, r.Handler, ErrPrivate)
	}
	return b, nil
}

func (rt *Runtime) checkSizes(r Request) error {
	if len(r.Body) > rt.options.MaxPayload {
		return fmt.Errorf("%w: it has %d bytes, at most %d are allowed", ErrTooLarge, len(r.Body), rt.options.MaxPayload)
	}
	if len(r.Key) > maxKeyBytes || !utf8.ValidString(r.Key) {
		return fmt.Errorf("%w: the key has more than %d bytes or is not UTF-8", ErrInvalid, maxKeyBytes)
	}
	if len(r.IdempotencyKey) > maxKeyBytes || !utf8.ValidString(r.IdempotencyKey) {
		return fmt.Errorf("%w: the idempotency key has more than %d bytes or is not UTF-8", ErrInvalid, maxKeyBytes)
	}
	if r.Delay != nil && *r.Delay < 0 {
		return fmt.Errorf("%w: the delay %v is negative", ErrInvalid, *r.Delay)
	}
	total := 0
	for _, h := range r.Headers {
		total += len(h.Key) + len(h.Value)
		if !utf8.ValidString(h.Key) || !utf8.ValidString(h.Value) {
			return fmt.Errorf("%w: the header %q is not UTF-8", ErrInvalid, h.Key)
		}
	}
	if total > maxHeaderBytes {
		return fmt.Errorf("%w: the headers have %d bytes, at most %d are allowed", ErrInvalid, total, maxHeaderBytes)
	}
	return nil
}
