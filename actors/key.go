package actors

import (
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// keyActor is the actor of one key: it applies events to the object of the key,
// one after the other, encodes what they wrote, and queues it for the disk.
// Nothing here blocks but reads of rows.
type keyActor struct {
	rt    *Runtime
	entry *entry
	obj   *machine.Object
	// last numbers the last output that was queued.
	last ident.Seq
	// live are the attempts whose code may still run, oldest first; waiting are
	// those among them that have not been scheduled.
	live, waiting []*attempt
	// broken is set when the key is quarantined.
	broken error
	// told is what subscribers of events know of the key.
	told keyTold
}

// envelope is an event with what has to be settled once its output is durable.
type envelope struct {
	event  machine.Event
	permit permit
	origin origin
	timer  *machine.TimerRow
}

// origin is what an output owes to whoever caused it.
type origin struct {
	// attempt wrote bytes of the output.
	attempt *attempt
	bytes   int
	// routed is an id that was in the route table for this event.
	routed ident.InvocationID
	// alias is one that was in the route table too.
	alias ident.InvocationID
	// slice counts work in flight.
	slice *slice
}

// launch says that the output which started an attempt is durable.
type launch struct{ attempt *attempt }

// breakage says that rows of the key cannot be read.
type breakage struct{ cause error }

// Receive implements actor.Actor.
func (k *keyActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *entry:
		k.entry, k.obj = m, machine.New(m.partition, m.key)
		k.broken = k.rt.quarantined.find(m.key)
		m.single = k.rt.bindings.plain(m.key.Service)
		m.idle.Store(true)
		k.rt.sweeper.kick()
		return
	case *envelope:
		k.apply(m)
	case machine.Event:
		k.apply(&envelope{event: m})
	case *attempt:
		k.serve(m)
	case *launch:
		m.attempt.openGate()
		k.tryStart()
	case *beginning:
		k.begun(m.attempt)
	case *waiting:
		k.waits(m)
	case *breakage:
		k.quarantine(m.cause)
	default:
		return // a message of the system
	}
	k.rest()
}

// rest settles a message.
func (k *keyActor) rest() {
	idle := len(k.live) == 0 && (k.broken != nil || k.obj.Idle() || k.rt.draining.Load())
	k.entry.idle.Store(idle)
	k.rt.registry.settle(k.entry)
}

// apply applies one event.
func (k *keyActor) apply(env *envelope) {
	if k.broken != nil {
		k.refuse(env)
		return
	}
	out := k.rt.outputs.Get().(*machine.Output)
	defer k.rt.outputs.Put(out)
	o, err := k.step(env, out)
	if err != nil {
		k.quarantine(err)
		k.refuse(env)
		return
	}
	k.performNow(out)
	if o != nil {
		k.queue(o, out)
	}
	k.tryStart() // last: it may apply a further event, whose output comes behind
}

// step is the part of apply that may fail: whatever it has changed is then
// discarded together with the object. It returns nil when nothing has to wait
// for the disk.
func (k *keyActor) step(env *envelope, out *machine.Output) (o *op, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &coreFailure{event: env.event, value: p, stack: debug.Stack()}
		}
	}()
	k.obj.Settle(ident.Seq(k.entry.durable.Load()))
	at := k.rt.stamp()
	if s, ok := env.event.(*machine.Signal); ok {
		at.Unread = k.backlog(s)
	}
	if err := k.transition(at, env.event, out); err != nil {
		return nil, err
	}
	k.rt.trace.passApplied(env.event, out)
	k.rt.meter.applied(env.event, out, k.entry.key.Service)
	if len(out.Writes) == 0 && len(out.Gated) == 0 && env.origin == (origin{}) && env.permit.from == nil && env.timer == nil {
		return nil, nil
	}
	o = k.rt.committer.output()
	*o = op{entry: k.entry, seq: at.Seq, gated: append(o.gated, out.Gated...), permit: env.permit, origin: env.origin, timer: env.timer}
	if len(out.Writes) > 0 {
		if o.batch, err = k.rt.options.Store.Encode(at.Seq, out.Writes); err != nil {
			return nil, fmt.Errorf("encode the output of a %T: %w", env.event, err)
		}
		k.rt.meter.budget.wrote(env.event, o.batch.Rows)
		k.rt.trace.pass(PointEncoded)
	}
	k.last = at.Seq
	return o, nil
}

// backlog asks the live attempt of the target of a signal how many it has not
// taken.
func (k *keyActor) backlog(s *machine.Signal) *uint32 {
	for _, a := range slices.Backward(k.live) {
		if a.id == s.ID || a.alias == s.ID {
			return a.backlog()
		}
	}
	return nil
}

// transition applies an event, and reads the rows that it needs.
func (k *keyActor) transition(at machine.Stamp, ev machine.Event, out *machine.Output) error {
	for range maxNeedRounds {
		out.Reset(at.Seq)
		needs := k.obj.Apply(at, ev, out)
		if len(needs) == 0 {
			return nil
		}
		if err := k.load(needs); err != nil {
			return fmt.Errorf("read rows of %s: %w", k.entry.key, err)
		}
	}
	return fmt.Errorf("the core asks for rows again and again, for a %T", ev)
}

// maxNeedRounds bounds how often one event may ask for rows.
const maxNeedRounds = 4096

func (k *keyActor) load(needs []machine.Need) error {
	return k.rt.options.Store.Read(func(r persistence.Reader) error {
		for _, n := range needs {
			rows, err := read(r, n)
			if err != nil {
				return err
			}
			if err := k.obj.Loaded(n, rows); err != nil {
				return err
			}
		}
		return nil
	})
}

func read(r persistence.Reader, n machine.Need) ([]machine.Row, error) {
	if !n.Point() {
		return r.Scan(n.From, n.To, n.Limit)
	}
	row, err := r.Get(n.From)
	if err != nil || row == nil {
		return nil, err
	}
	return []machine.Row{row}, nil
}

// serve takes what an attempt has written, its outcome, and its end.
func (k *keyActor) serve(a *attempt) {
	a.opened()
	for {
		step := a.next()
		if step.event == nil {
			if step.over {
				k.ended(a)
			}
			return
		}
		k.apply(&envelope{event: step.event, origin: origin{attempt: a, bytes: step.bytes}})
	}
}

// ended forgets an attempt, and starts who has waited for its code to end.
func (k *keyActor) ended(a *attempt) {
	if !k.forget(a) {
		return
	}
	if a.suspended() {
		k.rt.trace.pass(PointUnloaded)
	}
	k.tryStart()
}

// forget takes an attempt off the list. It reports whether it was there.
func (k *keyActor) forget(a *attempt) bool {
	i := slices.Index(k.live, a)
	if i < 0 {
		return false
	}
	k.live = slices.Delete(k.live, i, i+1)
	k.waiting = slices.DeleteFunc(k.waiting, func(other *attempt) bool { return other == a })
	k.rt.attempts.remove(a)
	if k.rt.draining.Load() {
		k.rt.stopping.ended.Notify()
	}
	return true
}

// begin makes an attempt. With gated set it starts when its output is durable.
func (k *keyActor) begin(start *machine.StartAttempt, gated bool) {
	a := k.rt.newAttempt(k.entry, start, k.last, gated)
	k.live = append(k.live, a)
	k.waiting = append(k.waiting, a)
	k.rt.attempts.add(a)
	if a.alone {
		k.rt.starts.addAlone(a)
	}
	if k.rt.draining.Load() {
		a.stop(stopShutdown)
	}
}

// tryStart schedules every attempt that nothing holds back. An attempt waits for
// the output that started it, if that counts a death of the process, and for the
// code of older ones.
func (k *keyActor) tryStart() {
	for i := 0; i < len(k.waiting); {
		a := k.waiting[i]
		switch a.readiness() {
		case readyLater:
			i++
			continue
		case readyNow:
			if k.blocked(a) {
				i++
				continue
			}
		}
		k.waiting = slices.Delete(k.waiting, i, i+1)
		if a.bound == nil {
			k.refuseUnbound(a)
		} else if !k.rt.schedule(a) {
			k.forget(a)
		}
		i = 0 // the list, or who is in the way, may have changed
	}
}

// blocked reports whether code of an older attempt is in the way of a.
func (k *keyActor) blocked(a *attempt) bool {
	for _, older := range k.live {
		if older == a {
			return false
		}
		if older.blocks(a) {
			return true
		}
	}
	return false
}

// refuseUnbound fails an attempt whose handler this build does not have. The
// invocation keeps its key and goes on when the handler is bound again.
func (k *keyActor) refuseUnbound(a *attempt) {
	ev, first := a.unboundFailure(), a.stop(stopAborted)
	k.forget(a)
	if first { // else it has been stopped before
		k.rt.unbound(a)
		k.apply(&envelope{event: ev})
	}
}

// tokenOf returns the request that waits for the answer to an event, 0 for
// none.
func tokenOf(ev machine.Event) machine.Token {
	switch ev := ev.(type) {
	case *machine.Invoke:
		return ev.Token
	case *machine.Signal:
		return ev.Token
	case *machine.Attach:
		return ev.Token
	case *machine.Operate:
		return ev.Token
	case *machine.EditState:
		return ev.Token
	case *machine.Restart:
		return ev.Invoke.Token
	default:
		return 0
	}
}
