package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/logging"
)

// TestAPendingCancelFailsNothingButTheNextWait: what does not wait cannot fail.
func TestAPendingCancelFailsNothingButTheNextWait(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		Set(ctx, "a", 1)
		Clear(ctx, "a")
		n, err := Get[int](ctx, "a")
		names, err2 := Keys(ctx)
		UUID(ctx)
		id := ObjectSend(ctx, "S", "k", "h").Send(1).GetInvocationId()
		ResolveSignal(ctx, id, "s", 1)
		CancelInvocation(ctx, id)
		a, nap := Awakeable[int](ctx), After(ctx, time.Second)
		_, waited := a.Result()
		return fmt.Sprint(n, err == nil, names, err2 == nil, waited.Code(), nap.Done() == nil), nil
	}))
	e.arrive(journal.TypeSignal, journal.SignalID(ident.CancelSignal), journal.VoidResult())
	e.world = (*engine).fireTimer
	if got := e.finish(0); string(got.Value) != `"0 true [] true 409 true"` {
		t.Fatalf("%s", got.Value)
	}
}

// TestEveryFutureAnswersRepeatedly with the same answer, before and after a
// suspension.
func TestEveryFutureAnswersRepeatedly(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			awakeable, signal := Awakeable[string](ctx), Signal[string](ctx, "s")
			run := RunAsync(ctx, func(RunContext) (string, error) { return "run", nil })
			after, call := After(ctx, time.Second), Service[string](ctx, "Keyless", "h").RequestFuture(1)
			attach := AttachInvocation[string](ctx, calleeID("x"))
			ResolveAwakeable(ctx, awakeable.Id(), "awakeable")
			RejectSignal(ctx, ctx.Request().ID, "s", errors.New("signal"))
			var told []string
			for range 2 {
				a, err1 := awakeable.Result()
				s, err2 := signal.Result()
				r, err3 := run.Result()
				err4 := after.Done()
				c, err5 := call.Response()
				x, err6 := attach.Response()
				told = append(told, fmt.Sprintf("%s %t, %s%v, %s %t, %t, %s %t, %s%v", a, err1 == nil, s, err2, r, err3 == nil, err4 == nil, c, err5 == nil, x, err6))
			}
			if told[0] != told[1] {
				t.Errorf("first %s, then %s", told[0], told[1])
			}
			return told[0], nil
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		e.results = map[string]journal.Result{"h": journal.ValueOf([]byte(`"call"`)), calleeID("x"): journal.FailureOf(404, "unknown")}
		if got := e.finish(0); string(got.Value) != `"awakeable true, signal, run true, true, call true, unknown"` {
			t.Errorf("%s", got.Value)
		}
	}, h, (*engine).fireTimer)
}

// TestTheCodecOfADefinitionIsForInputAndOutputAlone.
func TestTheCodecOfADefinitionIsForInputAndOutputAlone(t *testing.T) {
	t.Parallel()
	def := NewObject("O", WithBinary).Handler("h", NewObjectHandler(func(ctx ObjectContext, in []byte) ([]byte, error) {
		Set(ctx, "state", "text")
		Set(ctx, "raw", []byte("raw"), WithBinary)
		if _, err := Run(ctx, func(RunContext) (string, error) { return "text", nil }); err != nil {
			return nil, err
		}
		ObjectSend(ctx, "S", "k", "h").Send("text")
		a := Awakeable[string](ctx)
		ResolveAwakeable(ctx, a.Id(), "text")
		s, err := a.Result()
		return append(in, s...), err
	}))
	e := newEngine(t, def.Handlers()["h"])
	e.journal[0] = journal.NewEntry(&journal.Input{Value: []byte("in ")}, 0, journal.Sidecar{})
	if got := e.finish(0); string(got.Value) != "in text" {
		t.Fatalf("%s", got.Value)
	}
	if string(e.state["state"]) != `"text"` || string(e.state["raw"]) != "raw" {
		t.Errorf("state %q", e.state)
	}
	for _, c := range e.commands() {
		if s, ok := c.(*journal.OneWayCall); ok && string(s.Parameter) != `"text"` {
			t.Errorf("sent %q", s.Parameter)
		}
	}
}

// restless writes other bytes each time, and says so.
type restless struct{ n *atomic.Int64 }

func (r restless) Marshal(v any) ([]byte, error) {
	return fmt.Appendf(nil, "%d %v", r.n.Add(1), v), nil
}
func (restless) Unmarshal(data []byte, v any) error {
	_, text, _ := strings.Cut(string(data), " ")
	*v.(*string) = text
	return nil
}
func (restless) IsNonDeterministic() bool { return true }

// TestPayloadsOfARestlessCodecAreNotCompared: of state, answers, signals, calls,
// sends and outputs.
func TestPayloadsOfARestlessCodecAreNotCompared(t *testing.T) {
	t.Parallel()
	if !encoding.IsNonDeterministicSerialization(encoding.ProtoJSONCodec) {
		t.Error("ProtoJSONCodec does not say that it is one")
	}
	codec := WithCodec(restless{new(atomic.Int64)})
	for cut := range 14 {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, in string) (string, error) {
			Set(ctx, "a", "v", codec)
			a := Awakeable[string](ctx, codec)
			ResolveAwakeable(ctx, a.Id(), "v", codec)
			ResolveSignal(ctx, calleeID("x"), "s", "v", codec)
			c := Service[string](ctx, "Keyless", "h", codec).RequestFuture("v")
			ObjectSend(ctx, "S", "k", "h", codec).Send("v")
			v, err := a.Result()
			if err != nil {
				return "", err
			}
			w, err := c.Response()
			return v + w, err
		}, codec))
		e.results = map[string]journal.Result{"h": journal.ValueOf([]byte("0 w"))}
		e.suspends = true
		if got := e.finish(cut); !strings.HasSuffix(string(got.Value), " vw") {
			t.Fatalf("cut %d: %q, outcomes %+v", cut, got.Value, e.outcomes)
		}
	}
}

// TestTimesAreNotCompared: a later attempt computes other ones, and the first
// counts.
func TestTimesAreNotCompared(t *testing.T) {
	t.Parallel()
	d := time.Second
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		ObjectSend(ctx, "S", "k", "h").Send(1, WithDelay(d))
		return Void{}, Sleep(ctx, d)
	}))
	e.suspends = true
	e.attempt(0)
	before := e.commands()
	d, e.now = time.Hour, e.now.Add(time.Minute)
	if o := e.attempt(0); o.Kind != OutcomeUnwound {
		t.Fatalf("%+v", o)
	}
	after := e.commands()
	if before[0].(*journal.OneWayCall).InvokeAt != after[0].(*journal.OneWayCall).InvokeAt || before[1].(*journal.Sleep).WakeUpAt != after[1].(*journal.Sleep).WakeUpAt || len(after) != 2 {
		t.Errorf("first %+v, then %+v", before, after)
	}
}

// TestHeadersKeepTheirCaseAndAreNotInherited.
func TestHeadersKeepTheirCaseAndAreNotInherited(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		Service[int](ctx, "Keyless", "h").RequestFuture(1, WithHeaders(map[string]string{"X-Mine": "1"}))
		ObjectSend(ctx, "S", "k", "h").Send(1)
		return ctx.Request().Headers.Get("X-Theirs"), nil
	}))
	e.journal[0] = journal.NewEntry(&journal.Input{Value: []byte(`"in"`), Headers: []journal.Header{{Key: "X-Theirs", Value: "2"}}}, 0, journal.Sidecar{})
	if got := e.finish(0); string(got.Value) != `"2"` {
		t.Errorf("%s", got.Value)
	}
	c := e.commands()
	if h := c[0].(*journal.Call).Headers; len(h) != 1 || h[0] != (journal.Header{Key: "X-Mine", Value: "1"}) {
		t.Errorf("the call has the headers %+v", h)
	}
	if h := c[1].(*journal.OneWayCall).Headers; len(h) != 0 {
		t.Errorf("the send has the headers %+v", h)
	}
}

// TestStateOfBeforeATerminalErrorStays.
func TestStateOfBeforeATerminalErrorStays(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		Set(ctx, "a", 1)
		return Void{}, fmt.Errorf("wrapped: %w", TerminalErrorf("no"))
	}))
	if got := e.finish(0); got.Failure == nil || got.Failure.Message != "no" || got.Failure.Code != 500 || string(e.state["a"]) != "1" {
		t.Errorf("%+v, state %q", got.Failure, e.state)
	}
}

// sources notes who logs, and whether a handler is replayed.
type sources struct {
	slog.Handler
	heard *[]string
}

func (s sources) Handle(ctx context.Context, r slog.Record) error {
	l := logging.LogContextFrom(ctx)
	*s.heard = append(*s.heard, fmt.Sprintf("%s %v %t", r.Message, l.Source, l.IsReplaying))
	return nil
}

// TestAReplayIsLoggedWhenTheHostSaysSo, and each record tells where it is from.
func TestAReplayIsLoggedWhenTheHostSaysSo(t *testing.T) {
	t.Parallel()
	var heard []string
	h := NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		ctx.Log().Info("before")
		Set(ctx, "a", 1)
		ctx.Log().Info("behind")
		return Void{}, nil
	})
	e := newEngine(t, h)
	e.attempt(2)
	e.dead, e.dies = false, 0
	a := &Attempt{
		ID: e.id(), Target: e.target, Journal: e.journal, StateComplete: true, LogReplay: true,
		Logger: slog.New(sources{slog.NewTextHandler(new(bytes.Buffer), nil), &heard}),
	}
	ended := make(chan Outcome, 1)
	go Execute(e, a, h, func(o Outcome) { ended <- o })
	if o := <-ended; o.Kind != OutcomeEnded {
		t.Fatalf("%+v", o)
	}
	if got := strings.Join(heard, ", "); got != "before user true, behind user false" {
		t.Errorf("heard %q", got)
	}
}

// TestWrapContextChangesValuesAlone: those of the wrapped one come first, and its
// end has no effect.
func TestWrapContextChangesValuesAlone(t *testing.T) {
	t.Parallel()
	type key string
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		ctx = WithValue(ctx, key("a"), "inner")
		ctx = WithValue(ctx, key("b"), "inner")
		over, cancel := context.WithDeadline(context.WithValue(t.Context(), key("a"), "outer"), time.Unix(1, 0))
		cancel()
		w := WrapContext(ctx, over)
		_, limited := w.Deadline()
		if w.Err() != nil || w.Done() != nil || limited {
			t.Errorf("the end of the wrapped context has an effect: %v", w.Err())
		}
		Set(w, "a", Key(w))
		return Run(w, func(rc RunContext) (string, error) {
			return fmt.Sprintf("%v %v, %v %v %t", w.Value(key("a")), w.Value(key("b")), rc.Value(key("a")), rc.Value(key("b")), rc.Err() == nil), nil
		})
	}))
	if got := e.finish(0); string(got.Value) != `"outer inner, outer inner true"` {
		t.Errorf("%s", got.Value)
	}
}

// TestAHandlerMayReturnAStringMap: it is written in the order of its keys.
func TestAHandlerMayReturnAStringMap(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (StringMap, error) { return ctx.Request().Headers, nil }))
	e.journal[0] = journal.NewEntry(&journal.Input{Value: []byte(`"in"`), Headers: []journal.Header{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}}}, 0, journal.Sidecar{})
	if got := e.finish(0); string(got.Value) != `{"a":"1","b":"2"}` {
		t.Errorf("%s", got.Value)
	}
}
