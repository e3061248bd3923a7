package objects

import (
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

const (
	wantsKey = "service S has keys: call it with one"
	wantsNo  = "service Keyless has no keys: call it without one"
)

// TestRequestWithAKeyTooManyOrTooFewIsTerminal400, in every attempt: nothing is
// written, and what follows is replayed at its place.
func TestRequestWithAKeyTooManyOrTooFewIsTerminal400(t *testing.T) {
	t.Parallel()
	for want, request := range map[string]func(ctx Context) error{
		wantsKey: func(ctx Context) error { _, err := Service[int](ctx, "S", "h").Request(1); return err },
		wantsNo:  func(ctx Context) error { _, err := Object[int](ctx, "Keyless", "k", "h").Request(1); return err },
	} {
		h := func() Handler {
			return NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
				err := request(ctx)
				if err := Sleep(ctx, time.Second); err != nil {
					t.Errorf("sleep: %v", err)
				}
				return Void{}, err
			})
		}
		everyMode(t, func(t *testing.T, e *engine) {
			e.results = map[string]journal.Result{"h": journal.ValueOf([]byte("1"))}
			if f := e.finish(0).Failure; f == nil || f.Code != 400 || f.Message != want || len(e.commands()) != 2 {
				t.Errorf("%q: %+v, commands %+v", want, f, e.commands())
			}
		}, h, (*engine).fireTimer)
	}
}

// TestSendWithAKeyTooManyOrTooFewEndsTheInvocation with terminal 400, because
// there is no result that could carry it.
func TestSendWithAKeyTooManyOrTooFewEndsTheInvocation(t *testing.T) {
	t.Parallel()
	for want, send := range map[string]func(ctx Context){
		wantsKey: func(ctx Context) { ServiceSend(ctx, "S", "h").Send(1) },
		wantsNo:  func(ctx Context) { WorkflowSend(ctx, "Keyless", "k", "h").Send(1) },
	} {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			send(ctx)
			t.Errorf("%q: the handler went on", want)
			return Void{}, nil
		}))
		if f := e.finish(0).Failure; f == nil || f.Code != 400 || f.Message != want || len(e.commands()) != 1 {
			t.Errorf("%q: %+v", want, f)
		}
	}
}

// TestTheEmptyKeyIsAKey of an object, and not a missing one.
func TestTheEmptyKeyIsAKey(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		ObjectSend(ctx, "S", "", "h").Send(1)
		return Void{}, nil
	}))
	if f := e.finish(0).Failure; f != nil {
		t.Errorf("%+v", f)
	}
}

// TestStoredCallStandsWhenItsServiceGainsKeys in a later build: the refusal has
// no entry, and would shift everything behind it.
func TestStoredCallStandsWhenItsServiceGainsKeys(t *testing.T) {
	t.Parallel()
	service := "Keyless"
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		_, err := Service[int](ctx, service, "h").Request(1)
		return "", err
	}))
	e.suspends = true
	if o := e.attempt(0); o.Kind != OutcomeUnwound {
		t.Fatalf("%+v", o)
	}
	e.keyed = true
	if o := e.attempt(0); o.Kind != OutcomeUnwound || len(e.commands()) != 1 {
		t.Fatalf("%+v, commands %+v", o, e.commands())
	}
}
