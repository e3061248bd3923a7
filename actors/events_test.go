package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/stream"
	restate "github.com/dormouse-run/dormouse/objects"
)

// follower is a subscriber of a test. It keeps what it got.
type follower struct {
	cancel context.CancelFunc
	ended  chan error
	// gate, when it is set, is received from before each batch is taken.
	gate chan struct{}

	mu     sync.Mutex
	events []*stream.Event
	resets []EventReset
	beats  int
	begun  bool
	at     stream.Position
}

// follow subscribes and returns when the first batch is there.
func follow(b *bench, o EventOptions) *follower {
	b.t.Helper()
	f := followGated(b, o, nil)
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.begun {
		b.t.Fatal("the stream has not begun")
	}
	return f
}

func followGated(b *bench, o EventOptions, gate chan struct{}) *follower {
	ctx, cancel := context.WithCancel(b.t.Context())
	f := &follower{cancel: cancel, ended: make(chan error, 1), gate: gate}
	go func() { f.ended <- b.rt.Events(ctx, o, f.take) }()
	return f
}

func (f *follower) take(batch EventBatch) error {
	f.mu.Lock()
	if f.begun && batch.Reset == 0 && len(batch.Events) == 0 {
		f.beats++
	}
	if batch.Reset != 0 {
		f.resets = append(f.resets, batch.Reset)
	}
	f.begun, f.at = true, batch.Position
	f.events = append(f.events, batch.Events...)
	f.mu.Unlock()
	if f.gate != nil {
		<-f.gate
	}
	return nil
}

// leave ends the stream and returns what it ended with.
func (f *follower) leave() error {
	f.cancel()
	return <-f.ended
}

// got returns the events so far, each as one line.
func (f *follower) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines := make([]string, len(f.events))
	for i, e := range f.events {
		lines[i] = describe(e)
	}
	return lines
}

func (f *follower) last() *stream.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.at
	return &at
}

// describe shows an event in one line.
func describe(e *stream.Event) string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	switch {
	case e.Kind == stream.ObjectChanged:
		fmt.Fprintf(&b, " %s %s queued=%d", e.Object, e.Key.Status, e.Key.Queued)
	case e.Promise != nil:
		fmt.Fprintf(&b, " %s %s", e.Object, e.Promise.Name)
	case e.Kind == stream.InvocationJournal:
		fmt.Fprintf(&b, " %d %s", e.Index, e.Entry.Type)
	case e.Awakeable.Index != 0:
		fmt.Fprintf(&b, " %s %d %s %s", e.Invocation.Target, e.Awakeable.Index, e.Awakeable.State, e.Status())
	default:
		fmt.Fprintf(&b, " %s %s>%s", e.Invocation.Target, e.Previous, e.Status())
	}
	return b.String()
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("events are\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

const allTopics = stream.TopicInvocation | stream.TopicObject | stream.TopicAwakeable | stream.TopicPromise

func TestEventsTellTheLifeOfAnInvocationInOrder(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{Filter: stream.Filter{Topics: allTopics}})
		first := send(b, ask("Desk", "x", "ask", "1"))
		synctest.Wait()
		second := send(b, ask("Desk", "x", "ask", "2"))
		synctest.Wait()
		advance(5 * time.Minute) // both suspended, one queued
		synctest.Wait()
		b.resolve(w, "1", "yes")
		wantValue(t, attach(b, first), `"yes"`)
		synctest.Wait()
		b.resolve(w, "2", "yes")
		wantValue(t, attach(b, second), `"yes"`)
		synctest.Wait()
		wantLines(t, f.got(),
			"invocation.created Desk/x/ask >ready",
			"object.changed Desk/x running queued=0",
			"invocation.status Desk/x/ask ready>running",
			"awakeable.pending Desk/x/ask 17 created running",
			"awakeable.pending Desk/x/ask 17 awaited running",
			"invocation.created Desk/x/ask >pending",
			"object.changed Desk/x running queued=1",
			"invocation.status Desk/x/ask running>suspended",
			"object.changed Desk/x suspended queued=1",
			"invocation.status Desk/x/ask suspended>ready",
			"awakeable.completed Desk/x/ask 17 completed ready",
			"object.changed Desk/x running queued=1",
			"invocation.status Desk/x/ask ready>running",
			"invocation.completed Desk/x/ask running>completed",
			"invocation.status Desk/x/ask pending>ready",
			"object.changed Desk/x running queued=0",
			"invocation.status Desk/x/ask ready>running",
			"awakeable.pending Desk/x/ask 17 created running",
			"awakeable.pending Desk/x/ask 17 awaited running",
			"awakeable.completed Desk/x/ask 17 completed running",
			"invocation.completed Desk/x/ask running>completed",
			"object.changed Desk/x idle queued=0",
		)
		if err := f.leave(); err != nil {
			t.Errorf("the stream ended with %v", err)
		}
	})
}

func TestAnEventOfAKeyWhoseHolderIsOnDiskNamesItsStatus(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Linger: -1}, func(t *testing.T, b *bench) {
		send(b, ask("Desk", "x", "ask", "1"))
		advance(time.Minute)
		if n := b.rt.Stats().LiveActors; n != 0 {
			t.Fatalf("%d actors are in memory", n)
		}
		f := follow(b, EventOptions{Filter: stream.Filter{Topics: stream.TopicObject}})
		send(b, ask("Desk", "x", "ask", "2"))
		synctest.Wait()
		wantLines(t, f.got(), "object.changed Desk/x suspended queued=1")
	})
}

func TestEntriesOfAJournalComeToWhoAsksForTheInvocation(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "1"))
		send(b, ask("Desk", "y", "ask", "2"))
		synctest.Wait()
		f := follow(b, EventOptions{Filter: stream.Filter{Invocation: id}})
		all := follow(b, EventOptions{})
		b.resolve(w, "2", "yes")
		b.resolve(w, "1", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		synctest.Wait()
		wantLines(t, f.got(),
			"invocation.journal 4 Signal",
			"invocation.journal 5 Output",
			"invocation.completed Desk/x/ask running>completed",
		)
		if got := all.got(); len(got) != 2 {
			t.Errorf("who asks for everything gets %v", got)
		}
		if w := b.rt.events.follows(id); !w {
			t.Error("the journal is not followed for those who come back")
		}
	})
}

func TestAStreamBeginsWhenWhatWasQueuedBeforeIsDurable(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Services: w.services()})
		h := b.hold()
		var r replies
		r.b = b
		r.ask("before", func() (string, error) { return r.send(ask("Desk", "x", "ask", "1")) })
		f := followGated(b, EventOptions{}, nil)
		synctest.Wait()
		if f.begun {
			t.Error("the stream began before what it does not show was durable")
		}
		h.release()
		if !f.begun {
			t.Error("the stream has not begun")
		}
		r.wait()
		if got := f.got(); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "invocation.created") }) {
			t.Errorf("an event is told that was there before: %v", got)
		}
		b.close()
	})
}

func TestAnEventIsToldOnlyWhenItIsDurable(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Services: w.services()})
		f := follow(b, EventOptions{})
		h := b.hold()
		var r replies
		r.b = b
		r.ask("one", func() (string, error) { return r.send(ask("Echo", "", "echo", "1")) })
		if got := f.got(); len(got) > 0 {
			t.Errorf("before the commit there is %v", got)
		}
		h.write()
		if got := f.got(); len(got) > 0 {
			t.Errorf("before anyone may hear of the commit there is %v", got)
		}
		h.after <- struct{}{}
		synctest.Wait()
		if got := f.got(); len(got) == 0 || got[0] != "invocation.created Echo/echo >ready" {
			t.Errorf("after the commit there is %v", got)
		}
		h.release()
		b.close()
	})
}

func TestWhoComesBackMissesNothingAndGetsNothingTwice(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		whole := follow(b, EventOptions{})
		var pieces []string
		var at *stream.Position
		for i := range 20 {
			f := follow(b, EventOptions{After: at})
			call(b, ask("Echo", "", "echo", fmt.Sprint(i)))
			synctest.Wait()
			if err := f.leave(); err != nil {
				t.Fatal(err)
			}
			if len(f.resets) > 0 {
				t.Fatalf("%v", f.resets)
			}
			pieces, at = append(pieces, f.got()...), f.last()
			call(b, ask("Echo", "", "echo", "while away"))
		}
		f := follow(b, EventOptions{After: at})
		pieces = append(pieces, f.got()...)
		if got := whole.got(); !slices.Equal(got, pieces) || len(got) != 40*3 {
			t.Errorf("%d events in pieces, %d in one", len(pieces), len(got))
		}
	})
}

func TestResetSaysWhyEventsAreMissing(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), EventBuffer: 10}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{})
		at := f.last()
		for i := range 4 {
			call(b, ask("Echo", "", "echo", fmt.Sprint(i)))
		}
		synctest.Wait()
		resume := func(name string, at *stream.Position, want EventReset) {
			t.Helper()
			back := follow(b, EventOptions{After: at})
			if !slices.Equal(back.resets, []EventReset{want}) || len(back.got()) != 0 {
				t.Errorf("%s: resets are %v and events %v", name, back.resets, back.got())
			}
			if *back.last() != b.rt.events.ring.Last() {
				t.Errorf("%s: the stream goes on at %v", name, back.last())
			}
		}
		resume("fallen out of the buffer", at, ResetTooOld)
		resume("not given yet", &stream.Position{Boot: at.Boot, N: 1000}, ResetRestarted)
		at = f.last()
		b.crash()
		if err := <-f.ended; err != nil {
			t.Errorf("the stream ended with %v", err)
		}
		resume("another start", at, ResetRestarted)
	})
}

func TestEventsAreForgottenAMinuteAfterTheLastSubscriberHasLeft(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{})
		call(b, ask("Echo", "", "echo", "1"))
		synctest.Wait()
		at := f.last()
		_ = f.leave()
		advance(eventKeep - time.Second)
		call(b, ask("Echo", "", "echo", "2"))
		back := follow(b, EventOptions{After: at})
		if len(back.resets) > 0 || len(back.got()) != 3 {
			t.Errorf("within the minute: %v %v", back.resets, back.got())
		}
		at = back.last()
		_ = back.leave()
		advance(eventKeep + time.Second)
		if v := b.rt.events.version.Load(); v != 0 {
			t.Errorf("events are still derived, under version %d", v)
		}
		call(b, ask("Echo", "", "echo", "3"))
		back = follow(b, EventOptions{After: at})
		if !slices.Equal(back.resets, []EventReset{ResetTooOld}) {
			t.Errorf("after the minute: %v %v", back.resets, back.got())
		}
		call(b, ask("Echo", "", "echo", "4"))
		synctest.Wait()
		if got := back.got(); len(got) != 3 {
			t.Errorf("after that: %v", got)
		}
	})
}

func TestASlowSubscriberIsResetAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Services: w.services(), EventBuffer: 50})
		gate := make(chan struct{})
		slow := followGated(b, EventOptions{}, gate)
		quick := follow(b, EventOptions{})
		const calls = 100
		for i := range calls {
			call(b, ask("Echo", "", "echo", fmt.Sprint(i)))
			synctest.Wait()
		}
		if n := len(quick.got()); n != 3*calls {
			t.Errorf("beside a subscriber that reads nothing, another one got %d events", n)
		}
		close(gate)
		synctest.Wait()
		if !slices.Equal(slow.resets, []EventReset{ResetSlow}) {
			t.Errorf("resets are %v", slow.resets)
		}
		before := len(slow.got())
		call(b, ask("Echo", "", "echo", "on"))
		synctest.Wait()
		if got := slow.got()[before:]; len(got) != 3 {
			t.Errorf("after its reset the subscriber got %v", got)
		}
		b.close()
	})
}

func TestASilentStreamBeatsEveryFifteenSeconds(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		key := "nobody"
		f := follow(b, EventOptions{Filter: stream.Filter{Key: &key}})
		call(b, ask("Echo", "", "echo", "unwanted"))
		advance(time.Minute + time.Second)
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.beats != 4 || len(f.events) > 0 {
			t.Errorf("in a minute there were %d beats and %d events", f.beats, len(f.events))
		}
		if f.at != b.rt.events.ring.Last() {
			t.Errorf("a beat names position %v, the last event is %v", f.at, b.rt.events.ring.Last())
		}
	})
}

func TestTheNumberOfStreamsIsBounded(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), MaxEventStreams: 2}, func(t *testing.T, b *bench) {
		one := follow(b, EventOptions{})
		follow(b, EventOptions{})
		var busy *OverloadedError
		if err := b.rt.Events(t.Context(), EventOptions{}, nil); !errors.As(err, &busy) || !busy.Requests {
			t.Errorf("a third stream got %v", err)
		}
		if n := b.rt.Stats().EventStreams; n != 2 {
			t.Errorf("there are %d streams", n)
		}
		_ = one.leave()
		follow(b, EventOptions{})
	})
}

func TestStreamsEndWithTheRuntime(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Services: w.services()})
		id := send(b, ask("Desk", "x", "ask", "1"))
		synctest.Wait()
		f := follow(b, EventOptions{Filter: stream.Filter{Invocation: id}})
		if err := b.rt.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := b.rt.Events(t.Context(), EventOptions{}, nil); !errors.Is(err, ErrStopped) {
			t.Errorf("a stream of a draining runtime got %v", err)
		}
		wantLines(t, f.got(), "invocation.status Desk/x/ask running>suspended")
		b.close()
		if err := <-f.ended; err != nil {
			t.Errorf("the stream ended with %v", err)
		}
		if err := b.rt.Events(t.Context(), EventOptions{}, nil); !errors.Is(err, ErrStopped) {
			t.Errorf("a stream of a closed runtime got %v", err)
		}
	})
}

func TestTheErrorOfASubscriberEndsItsStream(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		broken := errors.New("broken pipe")
		err := b.rt.Events(t.Context(), EventOptions{}, func(EventBatch) error { return broken })
		if !errors.Is(err, broken) {
			t.Errorf("the stream ended with %v", err)
		}
		if n := b.rt.Stats().EventStreams; n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
}

func TestPromisesAndWorkflowsAreTold(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Services: []restate.ServiceDefinition{signup()}}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{Filter: stream.Filter{Topics: stream.TopicPromise}})
		run := send(b, ask("Signup", "w", "run", false))
		synctest.Wait()
		call(b, ask("Signup", "w", "sign", "hello"))
		wantValue(t, attach(b, run), `"hello"`)
		synctest.Wait()
		wantLines(t, f.got(), "promise.completed Signup/w signed")
		if e := f.events[0]; string(e.Promise.Result.Value) != `"hello"` {
			t.Errorf("its value is %s", e.Promise.Result.Value)
		}
	})
}

// TestTheRunOfAWorkflowIsToldAsTheHolderOfItsKey also begins one with a delay, and
// asks shared handlers of a key whose run has not begun and of one that has ended.
func TestTheRunOfAWorkflowIsToldAsTheHolderOfItsKey(t *testing.T) {
	t.Parallel()
	o := Options{Services: []restate.ServiceDefinition{signup()}, InactivityTimeout: -1, Linger: -1}
	inBubble(t, o, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{Filter: stream.Filter{Topics: stream.TopicObject}})
		told := func() (lines []string) {
			synctest.Wait()
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, e := range f.events {
				if held := e.Key.HolderID == ident.WorkflowID("Signup", "w"); held == (e.Key.Status == stream.WordIdle) {
					t.Errorf("%v: %s is held by %s", e.At, e.Key.Status, e.Key.HolderID)
				}
				lines = append(lines, e.Key.Status)
			}
			f.events = nil
			return lines
		}
		wantTold := func(when string, want ...string) {
			t.Helper()
			if got := told(); !slices.Equal(got, want) {
				t.Errorf("%s: the key is told to be %q, want %q", when, got, want)
			}
		}
		late := ask("Signup", "w", "run", false)
		hour := time.Hour
		late.Delay = &hour
		run := send(b, late)
		wantTold("before its time", "idle")
		advance(time.Hour)
		wantTold("when it waits", "running", "suspended")
		call(b, ask("Signup", "w", "sign", "hello"))
		wantValue(t, attach(b, run), `"hello"`)
		wantTold("when it has ended", "running", "idle")
		call(b, ask("Signup", "w", "look", nil))
		wantTold("afterwards")
	})
}

func TestAKilledAttemptIsNotToldToRunAfterItsEnd(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{})
		for i := range 50 {
			id := send(b, ask("Desk", fmt.Sprint(i), "ask", fmt.Sprint(i)))
			if _, err := b.rt.Operate(t.Context(), machine.OpKill, id); err != nil {
				t.Logf("kill: %v", err)
			}
		}
		advance(time.Hour)
		if now := checkChains(t, f, true); len(now) != 50 {
			t.Errorf("%d invocations were told", len(now))
		}
	})
}

// checkChains checks that each event of an invocation begins with the status
// with which the one before it ended.
func checkChains(t *testing.T, f *follower, whole bool) map[ident.InvocationID]string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	now := map[ident.InvocationID]string{}
	for _, e := range f.events {
		if e.Kind.Topic() != stream.TopicInvocation || e.Kind == stream.InvocationJournal {
			continue
		}
		id := e.Invocation.ID
		was, known := now[id]
		switch {
		case e.Kind == stream.InvocationCreated:
			if known {
				t.Errorf("%v: %s is there and comes again", e.At, id)
			}
		case !known && !whole:
		case was != e.Previous:
			t.Errorf("%v: %s was %q and is told to have been %q", e.At, describe(e), was, e.Previous)
		}
		now[id] = e.Status()
		if e.Kind == stream.InvocationRemoved {
			delete(now, id)
		}
	}
	return now
}
