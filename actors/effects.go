package actors

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// performNow performs the effects of an output that need not wait for the disk,
// and prepares attempts for those that do, before the output is queued.
func (k *keyActor) performNow(out *machine.Output) {
	seq := k.last
	for _, ef := range out.Gated {
		switch ef := ef.(type) {
		case *machine.Notify:
			if a := k.rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
				a.announce(ef.Index)
			}
		case *machine.StartAttempt:
			k.begin(ef, true)
		}
	}
	for _, ef := range out.Now {
		switch ef := ef.(type) {
		case *machine.StartAttempt:
			k.begin(ef, false)
		default:
			k.rt.perform(ef, k.entry, seq)
		}
	}
}

// release performs the gated effects of an output that is durable, in order. It
// runs on the committer's goroutine and never blocks.
func (rt *Runtime) release(o *op) {
	if o.entry != nil {
		o.entry.durable.Store(uint64(o.seq))
		o.entry.barriers.wakeAll()
	}
	rt.trace.pass(PointPublished)
	if o.seen != nil {
		rt.events.publish(o.seen)
	}
	for _, ef := range o.gated {
		rt.meter.budget.released(ef)
		switch ef := ef.(type) {
		case *machine.StartAttempt:
			if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
				rt.registry.deliver(o.entry.key, o.entry.partition, &launch{attempt: a})
			}
		default:
			rt.perform(ef, o.entry, o.seq)
		}
		rt.trace.pass(PointEffect)
	}
	rt.settle(&o.origin)
	if o.entry != nil {
		rt.registry.settle(o.entry)
	}
}

// settle does what is owed to whoever caused an output.
func (rt *Runtime) settle(from *origin) {
	if from.attempt != nil {
		from.attempt.settled(from.bytes)
	}
	if !from.routed.IsZero() {
		rt.routes.leave(from.routed)
	}
	if !from.alias.IsZero() {
		rt.routes.leave(from.alias)
	}
	if from.slice != nil {
		from.slice.done()
	}
}

// perform performs one effect. e and seq belong to the output.
func (rt *Runtime) perform(ef machine.Effect, e *entry, seq ident.Seq) {
	switch ef := ef.(type) {
	case *machine.Notify:
		if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
			a.notify(ef.Index, seq, ef.Entry)
		}
	case *machine.StopAttempt:
		if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
			a.stop(stopReasonOf(ef.Reason))
		}
		if ef.Reason == machine.StopSuspended {
			rt.meter.of(e.key.Service).suspended.Add(1)
		}
	case *machine.KeepWaiting:
		if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
			a.keepWaiting()
		}
	case *machine.PauseAttempt:
		if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
			a.pause(ef.Wanted)
		}
	case *machine.CancelRuns:
		if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
			a.cancelRuns()
		}
	case *machine.StateRead:
		if a := rt.attempts.get(ef.Birth, ef.Epoch); a != nil {
			a.stateRead(ef, seq)
		}
	case *machine.Watch:
		rt.waiters.watch(ef.Token, ef.Birth)
	case *machine.Finished:
		rt.meter.of(e.key.Service).finished(ef)
		rt.waiters.finished(*ef)
		rt.deadlocks.ended(ef.Birth)
		if e.single {
			e.spent.Store(true)
		}
	case *machine.Awaited:
		rt.deadlocks.awaited(ef)
	case *machine.Awaiting:
		rt.deadlocks.awaiting(ef)
	case *machine.Answer:
		rt.waiters.answer(*ef)
	case *machine.Deliver:
		rt.deliverer.post(ef.Row)
	case *machine.SetTimer:
		rt.timers.set(ef.Timer)
	case *machine.AttemptFailed:
		rt.meter.of(ef.Target.Service).failedAttempt(ef.Status)
		rt.reportFailure(ef)
	case *machine.Suspected:
		rt.starts.suspect(ef.Active)
	case *machine.Continue:
		chore := ef.Chore
		rt.registry.deliver(chore.Object, chore.Partition, &machine.DoChore{Chore: chore})
	default:
		panic(fmt.Sprintf("actors: effect %T is not in the closed set", ef))
	}
}

func stopReasonOf(r machine.StopReason) stopReason {
	switch r {
	case machine.StopSuspended:
		return stopSuspended
	case machine.StopKilled:
		return stopKilled
	default:
		panic(fmt.Sprintf("actors: stop reason %d is not in the closed set", r))
	}
}
