package actors

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// heard collects what the requests of a test are told.
type heard struct {
	answers []machine.Answer
	errs    []error
}

func (h *heard) finish(a machine.Answer, err error) {
	h.answers = append(h.answers, a)
	h.errs = append(h.errs, err)
}

func TestRequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	w, h := newWaiters(), new(heard)
	token := w.registerFor(waitedFor, h)
	w.answer(machine.Answer{Token: token, Kind: machine.AnswerAccepted})
	w.answer(machine.Answer{Token: token, Kind: machine.AnswerDone})
	w.answer(machine.Answer{Token: token + 1, Kind: machine.AnswerDone})
	if len(h.answers) != 1 || h.answers[0].Kind != machine.AnswerAccepted || w.drop(token) {
		t.Fatalf("heard %v", h.answers)
	}
}

func TestEndAnswersEveryWatcherOfItsBirthAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWaiters()
	first, second, left, other := new(heard), new(heard), new(heard), new(heard)
	id := ident.InvocationID{1}
	for _, h := range []*heard{first, second, left} {
		token := w.registerFor(waitedFor, h)
		w.watch(token, 7)
		if h == left && !w.drop(token) {
			t.Fatal("a waiting request was not there to drop")
		}
	}
	otherToken := w.registerFor(waitedFor, other)
	w.watch(otherToken, 7+waiterShards) // the same shard
	w.finished(machine.Finished{Birth: 7, ID: id, Result: journal.Result{Value: []byte("x")}})
	for _, h := range []*heard{first, second} {
		if len(h.answers) != 1 || h.answers[0].Kind != machine.AnswerResult || h.answers[0].ID != id || string(h.answers[0].Result.Value) != "x" {
			t.Fatalf("a watcher heard %+v", h.answers)
		}
	}
	if len(left.answers)+len(other.answers) != 0 || w.waiting() != 1 {
		t.Fatalf("heard %v and %v, %d wait", left.answers, other.answers, w.waiting())
	}
}

func TestRequestThatWatchesAnotherInvocationForgetsTheFirst(t *testing.T) {
	t.Parallel()
	w, h := newWaiters(), new(heard)
	token := w.registerFor(waitedFor, h)
	w.watch(token, 1)
	w.watch(token, 2)
	w.finished(machine.Finished{Birth: 1})
	if len(h.answers) != 0 {
		t.Fatal("the end of the first invocation answered")
	}
	w.finished(machine.Finished{Birth: 2})
	if len(h.answers) != 1 {
		t.Fatalf("the end of the second invocation gave %d answers", len(h.answers))
	}
	assertNoWatchers(t, w)
}

func TestQuarantineEndsTheWatchersOfItsKeyOnly(t *testing.T) {
	t.Parallel()
	w, watcher, asker, stranger := newWaiters(), new(heard), new(heard), new(heard)
	w.watch(w.registerFor(waitedFor, watcher), 1)
	w.registerFor(waitedFor, asker) // its message is still on its way to the key
	w.watch(w.registerFor(ident.ObjectKey{Service: "S", Key: "other"}, stranger), 2)
	w.failKey(waitedFor, errStub)
	if len(watcher.errs) != 1 || !errors.Is(watcher.errs[0], errStub) {
		t.Fatalf("the watcher heard %v", watcher.errs)
	}
	if len(asker.errs)+len(stranger.errs) != 0 || w.waiting() != 2 {
		t.Fatalf("others heard %v and %v", asker.errs, stranger.errs)
	}
}

var waitedFor = ident.ObjectKey{Service: "S", Key: "k"}

var errStub = errors.New("stub")

func TestStopEndsEveryRequest(t *testing.T) {
	t.Parallel()
	w, h := newWaiters(), new(heard)
	for i := range 200 {
		if token := w.registerFor(waitedFor, h); i%2 == 0 {
			w.watch(token, ident.Seq(i))
		}
	}
	w.failAll(errStub)
	if len(h.errs) != 200 || w.waiting() != 0 {
		t.Fatalf("%d requests were ended, %d wait", len(h.errs), w.waiting())
	}
	assertNoWatchers(t, w)
}

// counter counts answers.
type counter atomic.Int32

func (c *counter) finish(machine.Answer, error) { (*atomic.Int32)(c).Add(1) }

// TestRacingDropsAndEndsAnswerAtMostOnceAndLeaveNothing races everything that
// may happen to one request.
func TestRacingDropsAndEndsAnswerAtMostOnceAndLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWaiters()
	for round := range 2000 {
		birth := ident.Seq(round%3 + 1)
		var answers atomic.Int32
		token := w.registerFor(waitedFor, (*counter)(&answers))
		var dropped bool
		var all sync.WaitGroup
		all.Go(func() { w.watch(token, birth) })
		all.Go(func() { w.finished(machine.Finished{Birth: birth}) })
		all.Go(func() { dropped = w.drop(token) })
		all.Go(func() { w.answer(machine.Answer{Token: token}) })
		all.Wait()
		n := answers.Load()
		if dropped {
			n++
		}
		if n != 1 {
			t.Fatalf("round %d: %d ends, dropped %v", round, n, dropped)
		}
	}
	if w.waiting() != 0 {
		t.Fatalf("%d requests are left", w.waiting())
	}
	assertNoWatchers(t, w)
}

func assertNoWatchers(t *testing.T, w *waiters) {
	t.Helper()
	for i := range w.births {
		if n := len(w.births[i].watched); n != 0 {
			t.Fatalf("%d invocations are watched by nobody", n)
		}
	}
}
