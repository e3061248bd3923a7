package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// invoke accepts an invocation, or finds the one that has the same id.
func (t *transition) invoke(ev *Invoke) []Need {
	if ev.deterministic() {
		old, needs := t.find(ev.ID)
		if needs == nil && old == nil {
			needs = t.needMarker(ev.ID)
		}
		replaced := old != nil && t.replaceable(old)
		if needs == nil && replaced {
			needs = t.needRows(old)
		}
		if needs != nil {
			return needs
		}
		switch {
		case replaced && old.run():
			t.removeWorkflow(old)
		case replaced:
			t.remove(old)
		case old != nil:
			t.take(ev.From)
			t.meet(ev, old)
			return nil
		}
		t.forgetMarker(ev.ID)
	}
	t.take(ev.From)
	t.accept(ev)
	return nil
}

// deterministic reports whether another invocation may have the same id.
func (ev *Invoke) deterministic() bool {
	return ev.IdempotencyKey != "" || ev.Target.Kind == ident.KindWorkflow
}

func (inv *invocation) expired(now int64) bool {
	return inv.row.Status == StatusCompleted && inv.row.ExpiresAt <= now
}

// replaceable reports whether old has outlived its retention, so that its id may
// start another life. The run of a workflow stays until its shared invocations
// have ended.
func (t *transition) replaceable(old *invocation) bool {
	return old.expired(t.at.Now) && !(old.run() && t.head.Workflow.Unfinished > 0)
}

// meet answers an invoke whose id exists.
func (t *transition) meet(ev *Invoke, old *invocation) {
	switch {
	case ev.AnswerAccepted:
		a := Answer{Token: ev.Token, Kind: AnswerPreviouslyAccepted, ID: ev.ID}
		if old.row.Status == StatusScheduled {
			a.StartAt = old.row.ScheduledFor
		}
		t.answer(a)
	case ev.Target.Kind == ident.KindWorkflow:
		t.refuseSecondRun(ev, old)
	case ev.Token != 0:
		t.watchOrAnswer(ev.Token, old)
	case ev.Caller.ReplyTo.Birth != 0:
		t.waitFor(old, ev.Caller.ReplyTo, journal.TypeCallCompletion)
	}
}

// refuseSecondRun answers a call of a workflow that has been run before.
func (t *transition) refuseSecondRun(ev *Invoke, old *invocation) {
	why := " has been started before: attach to it instead"
	if t.head.Workflow.Expiring || old.expired(t.at.Now) {
		why = " has outlived its retention and is removed once its shared handlers have ended: start it again then"
	}
	failure := journal.FailureOf(409, "the workflow "+ev.Target.Service+"/"+ev.Target.Key+why)
	t.answer(Answer{Token: ev.Token, Kind: AnswerResult, ID: ev.ID, Result: failure})
	if ev.Caller.ReplyTo.Birth != 0 {
		t.owe(nil, &Returned{To: ev.Caller.ReplyTo, Type: journal.TypeCallCompletion, Result: failure})
	}
}

// watchOrAnswer gives a request the result of inv, now or when there is one.
func (t *transition) watchOrAnswer(token Token, inv *invocation) {
	if inv.row.Status == StatusCompleted {
		t.answer(Answer{Token: token, Kind: AnswerResult, ID: inv.row.ID, Result: inv.row.Result, ExpiresAt: inv.row.ExpiresAt})
		return
	}
	if token != 0 {
		t.now(&Watch{Token: token, Birth: inv.row.Birth, ID: inv.row.ID})
	}
}

// accept makes a new invocation.
func (t *transition) accept(ev *Invoke) {
	inv := t.create(ev)
	t.appendEntry(inv, journal.NewEntry(&journal.Input{Headers: ev.Headers, Value: ev.Value}, t.at.Now, journal.Sidecar{}))
	t.place(ev, inv)
}

// usualTail is how many entries most journals have: input, a get, a set, output.
const usualTail = 4

// create makes the record of a new invocation, which has no journal yet.
func (t *transition) create(ev *Invoke) *invocation {
	inv := &invocation{born: t.at.Seq, row: InvocationRow{
		Birth: t.at.Seq, ID: ev.ID, Target: ev.Target, CreatedAt: t.at.Now,
		InvokedBy: ev.InvokedBy, Caller: ev.Caller, IdempotencyKey: ev.IdempotencyKey,
		RandomSeed: ev.RandomSeed, Retention: ev.Retention, Alias: ev.Alias,
		Tail: make([]journal.Entry, 0, usualTail),
	}}
	t.invocations[inv.row.Birth] = inv
	t.births[ev.ID] = inv.row.Birth
	t.joinWorkflow(inv)
	id := &IDRow{ID: ev.ID, Birth: inv.row.Birth, Object: t.key}
	if ev.deterministic() {
		t.put(id)
	} else {
		t.putFresh(id)
	}
	t.giveAlias(inv)
	return inv
}

// place schedules, queues or starts a new invocation, and answers who asked for
// it.
func (t *transition) place(ev *Invoke, inv *invocation) {
	accepted := Answer{Token: ev.Token, Kind: AnswerAccepted, ID: ev.ID}
	if ev.StartAt > t.at.Now {
		t.becomeScheduled(inv, ev.StartAt)
		accepted.StartAt = ev.StartAt
	} else {
		t.arrive(inv)
	}
	if ev.AnswerAccepted {
		t.answer(accepted)
	} else {
		t.watchOrAnswer(ev.Token, inv)
	}
}

func (t *transition) becomeScheduled(inv *invocation, at int64) {
	inv.row.Status, inv.row.ScheduledFor = StatusScheduled, at
	t.setTimer(inv, at, SlotWake, 0)
	t.change(inv)
}

// arrive gives an invocation its place: at once, or in the queue of its key. The
// run of a workflow waits only for a patch that is being applied.
func (t *transition) arrive(inv *invocation) {
	served := t.head.Holder == 0 && t.inbox.length > 0
	switch {
	case !inv.exclusive() && !(inv.run() && served):
		t.becomeReady(inv)
	case inv.exclusive() && t.head.Holder == 0 && t.inbox.length == 0:
		t.hold(inv)
	default:
		t.becomePending(inv)
	}
}

func (t *transition) becomePending(inv *invocation) {
	inv.row.Status, inv.row.InboxSeq = StatusPending, t.at.Seq
	row := InboxRow{Partition: t.partition, Object: t.id, Seq: t.at.Seq, Birth: inv.row.Birth, ID: inv.row.ID, QueuedAt: t.at.Now}
	t.inbox.push(row)
	t.putFresh(&row)
	t.headDirty = true
	t.change(inv)
	t.awaited(inv)
}

// hold gives the key to inv.
func (t *transition) hold(inv *invocation) {
	t.head.Holder, t.head.HolderID = inv.row.Birth, inv.row.ID
	t.headDirty = true
	t.becomeReady(inv)
}

// becomeReady asks for an attempt.
func (t *transition) becomeReady(inv *invocation) {
	t.gateReady(inv, nil)
}

// gateReady is becomeReady; with a start given, that is performed only once the
// output is durable.
func (t *transition) gateReady(inv *invocation, gated *StartAttempt) {
	from := inv.row.Status
	inv.row.Status, inv.row.Epoch, inv.row.InboxSeq = StatusReady, t.at.Seq, 0
	if inv.row.RunningAt == 0 {
		inv.row.RunningAt = t.at.Now
	}
	if !inv.active {
		inv.active = true
		row := &ActiveRow{Partition: t.partition, Birth: inv.row.Birth, ID: inv.row.ID, Object: t.key}
		if inv.born == t.at.Seq {
			t.putFresh(row)
		} else {
			t.put(row)
		}
	}
	inv.live, inv.recent = true, nil
	t.attempts++
	t.change(inv)
	start := gated
	if start == nil {
		start = &StartAttempt{}
	}
	start.of(&inv.row)
	start.From, start.Tail = from, inv.entries()
	start.Stored = inv.row.JournalLength - uint32(len(start.Tail))
	if inv.row.Target.Kind == ident.KindExclusive || inv.row.Target.Kind == ident.KindWorkflow {
		start.State, start.StateComplete = t.state.snapshot()
	}
	inv.row.Await, inv.row.Taken = nil, 0
	if gated != nil {
		t.gate(start)
	} else {
		t.now(start)
	}
}

// of takes what an attempt needs from the record.
func (s *StartAttempt) of(r *InvocationRow) {
	s.Birth, s.ID, s.Alias, s.Target, s.IdempotencyKey = r.Birth, r.ID, r.Alias, r.Target, r.IdempotencyKey
	s.RandomSeed, s.Allocated, s.Retry, s.Epoch = r.RandomSeed, r.Allocated, r.Retry, r.Epoch
	s.Due, s.RunningAt = max(r.CreatedAt, r.ScheduledFor), r.RunningAt
}

// endAttempt says that no attempt of inv runs any more.
func (t *transition) endAttempt(inv *invocation) {
	if inv.live {
		inv.live, inv.recent = false, nil
		t.attempts--
	}
}

// leaveReady is endAttempt for an invocation that stays unfinished.
func (t *transition) leaveReady(inv *invocation) {
	t.endAttempt(inv)
	if inv.active {
		inv.active = false
		t.delete((&ActiveRow{Partition: t.partition, Birth: inv.row.Birth}).Key())
	}
	t.change(inv)
}

// needNext asks for what starting the next queued invocation takes, if the key
// is going to be released by the holder.
func (t *transition) needNext(holder *invocation) []Need {
	if !holder.exclusive() || t.head.Holder != holder.row.Birth {
		return nil
	}
	if needs := t.inbox.need(); needs != nil {
		return needs
	}
	next, ok := t.inbox.peek()
	if !ok || next.Kind == InboxPatch {
		return nil
	}
	_, needs := t.findBirth(next.Birth, t.partition)
	return needs
}

// release hands the key to the next in the queue. A patch that stands there is
// applied by outputs of its own: it may be large. The run of a workflow holds
// nothing, but patches wait until it has ended.
func (t *transition) release(ended *invocation) {
	switch {
	case ended.run() && t.head.Holder == 0 && t.inbox.length > 0:
		t.leave(ChoreRow{Kind: ChoreServeQueue})
		return
	case !ended.exclusive() || t.head.Holder != ended.row.Birth:
		return
	}
	t.head.Holder, t.head.HolderID = 0, ident.InvocationID{}
	t.headDirty = true
	next, ok := t.inbox.peek()
	switch {
	case !ok:
	case next.Kind == InboxPatch:
		t.leave(ChoreRow{Kind: ChoreServeQueue})
	default:
		t.admit(next)
	}
}

// admit starts the invocation at the head of the queue of a key that nobody
// holds. A run leaves the key to those behind it.
func (t *transition) admit(next InboxRow) {
	t.inbox.pop()
	t.delete(next.Key())
	t.headDirty = true
	inv := t.invocations[next.Birth]
	switch {
	case inv == nil:
		panic("machine: the queue of " + t.key.String() + " names an invocation without a record: " + next.ID.String())
	case inv.exclusive():
		t.hold(inv)
		return
	}
	t.becomeReady(inv)
	if t.inbox.length > 0 {
		t.leave(ChoreRow{Kind: ChoreServeQueue})
	}
}

// setTimer writes a timer of inv.
func (t *transition) setTimer(inv *invocation, due int64, slot uint32, epoch ident.Seq) {
	row := TimerRow{Partition: t.partition, Due: due, Birth: inv.row.Birth, Slot: slot, Object: t.key, ID: inv.row.ID, Epoch: epoch}
	t.put(&row)
	t.gate(&SetTimer{Timer: row})
}

func (t *transition) clearTimer(inv *invocation, due int64, slot uint32) {
	t.delete((&TimerRow{Partition: t.partition, Due: due, Birth: inv.row.Birth, Slot: slot}).Key())
}
