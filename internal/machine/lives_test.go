package machine

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// The tests of this file are rules R12, R24 and R39: what belongs to an earlier
// life of an id, or to an earlier attempt, comes late and must mean nothing.

func livesWorld(t *testing.T) *world {
	return newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
}

// begin accepts the id x, which starts at once.
func (w *world) begin() *InvocationRow {
	w.apply(&Invoke{ID: w.id("x"), Target: ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive},
		IdempotencyKey: "x", Value: []byte("in"), Retention: Retention{Completion: 1000, Journal: 1000}})
	return w.inv("x")
}

// write lets the attempt of x write commands, one per list of fields.
func (w *world) write(commands ...[]string) *Output {
	row := w.inv("x")
	ev := &Append{Birth: row.Birth, Epoch: row.Epoch}
	for _, c := range commands {
		ev.Proposals = append(ev.Proposals, w.proposal(c))
	}
	return w.apply(ev)
}

// forget kills and purges x, durably.
func (w *world) forget() {
	w.apply(&Operate{ID: w.id("x"), Op: OpKill})
	w.apply(&Operate{ID: w.id("x"), Op: OpPurge})
	w.commit()
}

// wantLength fails unless x has n entries.
func (w *world) wantLength(n uint32) {
	w.t.Helper()
	if row := w.inv("x"); row.JournalLength != n {
		w.t.Errorf("the journal of x has %d entries, want %d", row.JournalLength, n)
	}
}

func putOf[R Row](t *testing.T, out *Output) (found R) {
	t.Helper()
	for _, write := range out.Writes {
		if r, ok := write.Put.(R); ok {
			return r
		}
	}
	t.Fatalf("no %T was put", found)
	return found
}

func TestTheSleepOfAnEarlierLifeDoesNotEndThatOfALaterOne(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	w.begin()
	old := putOf[*TimerRow](t, w.write([]string{"sleep", "2", "5000"}))
	w.forget()
	w.begin()
	w.write([]string{"sleep", "2", "5000"})
	w.commit()
	w.now = 5000
	w.apply(&Wake{Timer: *old})
	w.wantLength(2) // Input and Sleep
	w.commit()
	if w.disk[(&TimerRow{Partition: w.part, Due: 5000, Birth: w.inv("x").Birth, Slot: 2}).Key()] == nil {
		t.Error("the timer of the later life is gone")
	}
}

func TestTheAnswerToAnEarlierLifeIsDroppedAndItsRowRemoved(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	first := w.begin().Birth
	w.write([]string{"call", "2", "callee"})
	w.forget()
	second := w.begin().Birth
	w.write([]string{"call", "2", "callee"})
	for _, tc := range []struct {
		birth  ident.Seq
		length uint32
	}{{first, 3}, {second, 4}} { // Input, Call, and the id of the callee
		out := w.apply(&Returned{From: OutboxRef{Seq: 1, N: 1}, To: Address{Object: w.key, ID: w.id("x"), Birth: tc.birth, Completion: 2},
			Type: journal.TypeCallCompletion, Result: journal.VoidResult()})
		w.wantLength(tc.length)
		if len(out.Writes) == 0 || !out.Writes[0].ForeignOutbox {
			t.Errorf("the outbox row of the answer to %v stays", tc.birth)
		}
	}
}

func TestWhatExpiresOfAnEarlierLifeTakesNothingFromALaterOne(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	w.begin()
	row := w.inv("x")
	out := w.apply(&Append{Birth: row.Birth, Epoch: row.Epoch, Ended: true, Proposals: []Proposal{w.proposal([]string{"output", "first"})}})
	expiry := putOf[*ExpiryRow](t, out)
	w.apply(&Operate{ID: w.id("x"), Op: OpPurge})
	w.commit()
	w.begin()
	row = w.inv("x")
	w.apply(&Append{Birth: row.Birth, Epoch: row.Epoch, Ended: true, Proposals: []Proposal{w.proposal([]string{"output", "second"})}})
	w.commit()
	w.apply(&Expire{Expiry: *expiry})
	w.commit()
	if got := result(w.inv("x").Result); got != `"second"` {
		t.Errorf("the later life has the result %s", got)
	}
}

func TestTheMarkerOfALaterLifeOutlivesTheExpiryOfAnEarlierOne(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	var first *ExpiryRow
	for range 2 {
		w.apply(&Invoke{ID: w.id("x"), Target: ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive}, Value: []byte("in")})
		row := w.inv("x")
		w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 1, Allocated: journal.Allocated{Signals: 1},
			Await: &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal, 17}}})
		out := w.apply(&Operate{ID: w.id("x"), Op: OpKill})
		if first == nil {
			first = putOf[*ExpiryRow](t, out)
		}
		w.commit()
	}
	w.apply(&Expire{Expiry: *first})
	w.commit()
	if w.disk[(&MarkerRow{ID: w.id("x")}).Key()] == nil {
		t.Error("the marker is gone: a repeated callback would not be acknowledged")
	}
}

func TestAnAttemptThatWasReplacedChangesNothing(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	w.begin()
	old := *w.inv("x")
	w.apply(&Fail{Birth: old.Birth, Epoch: old.Epoch, Failure: FailureEvent{Code: 500, Message: "boom"}, Policy: RetryPolicy{InitialInterval: 500, MaxAttempts: 9}})
	w.apply(&Operate{ID: w.id("x"), Op: OpResume})
	await := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal}}
	for name, ev := range map[string]Event{
		"a result of Run": &Append{Birth: old.Birth, Epoch: old.Epoch, Proposals: []Proposal{w.proposal([]string{"ran", "1", "7"})}},
		"its end":         &Append{Birth: old.Birth, Epoch: old.Epoch, Ended: true, Proposals: []Proposal{w.proposal([]string{"output", "old"})}},
		"its suspension":  &Park{Birth: old.Birth, Epoch: old.Epoch, Await: await, Taken: 1},
		"its failure":     &Fail{Birth: old.Birth, Epoch: old.Epoch, Failure: FailureEvent{Code: 500}, Policy: RetryPolicy{MaxAttempts: 1}},
	} {
		if out := w.apply(ev); len(out.Writes) != 0 {
			t.Errorf("%s writes:\n%s", name, w.print(out))
		}
	}
	if row := w.inv("x"); row.Status != StatusReady || row.Epoch == old.Epoch {
		t.Errorf("the invocation is %s", row.Status)
	}
}

// TestTheBackOffOfAnOlderAttemptDoesNotEndThatOfALaterOne lets a timer fire
// that was on its way when its attempt was resumed by hand.
func TestTheBackOffOfAnOlderAttemptDoesNotEndThatOfALaterOne(t *testing.T) {
	t.Parallel()
	for name, pass := range map[string]int64{"due at another time": 100, "due at the same time": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := livesWorld(t)
			w.begin()
			fail := func() *TimerRow {
				row := w.inv("x")
				return putOf[*TimerRow](t, w.apply(&Fail{Birth: row.Birth, Epoch: row.Epoch, Failure: FailureEvent{Code: 500, Message: "boom"},
					Policy: RetryPolicy{InitialInterval: 500, Factor: 1, MaxInterval: 500, MaxAttempts: 9}}))
			}
			old := fail()
			w.apply(&Operate{ID: w.id("x"), Op: OpResume})
			w.now += pass
			later := fail()
			w.apply(&Wake{Timer: *old})
			w.commit()
			if row := w.inv("x"); row.Status != StatusBackingOff || w.disk[later.Key()] == nil {
				t.Errorf("the invocation is %s, its timer is there: %t", row.Status, w.disk[later.Key()] != nil)
			}
			w.apply(&Wake{Timer: *later})
			if row := w.inv("x"); row.Status != StatusReady {
				t.Errorf("after its own timer the invocation is %s", row.Status)
			}
		})
	}
}

// TestASuspensionOnAllIsSatisfiedByAnswersThatComeOneByOne passivates between
// the two: the record alone decides.
func TestASuspensionOnAllIsSatisfiedByAnswersThatComeOneByOne(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	row := w.begin()
	both := &journal.Future{Combinator: journal.AllCompleted, Signals: []uint32{17, 18}}
	w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 1, Allocated: journal.Allocated{Signals: 2}, Await: both})
	for i, want := range []Status{StatusSuspended, StatusReady} {
		w.commit()
		w.activate()
		w.apply(&Signal{ID: w.id("x"), Signal: journal.SignalID(17 + uint32(i)), Result: journal.VoidResult()})
		if row := w.inv("x"); row.Status != want {
			t.Fatalf("after %d answers the invocation is %s, want %s", i+1, row.Status, want)
		}
	}
}
