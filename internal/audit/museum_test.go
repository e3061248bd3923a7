package audit_test

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// museum is a store with something of everything that a store may hold.
func museum(t testing.TB) *keeper {
	t.Helper()
	k := newKeeper(t)
	k.showQueue()
	k.showWaits()
	k.showCalls()
	k.showEnds()
	k.showWorkflows()
	k.showChores()
	return k
}

// showQueue has a key with a holder, somebody behind it, and a patch behind both.
func (k *keeper) showQueue() {
	first := k.invoke(object("queue"), nil)
	first.set("small", 10)
	first.set("large", 5000)
	k.invoke(object("queue"), nil)
	patch := &machine.EditState{OfObject: true, Values: []machine.StateValue{{Name: "p", Value: []byte("v")}}}
	k.apply(first.key, first.id.Partition(), patch)
}

// showWaits has all statuses of waiting.
func (k *keeper) showWaits() {
	sleeper := k.invoke(object("sleeper"), func(ev *machine.Invoke) { ev.Alias = k.newID(ev.Target) })
	sleeper.park(2, sleeper.sleep(hour))
	sleeper.apply(&machine.Signal{ID: alias(sleeper), Signal: journal.SignalID(ident.FirstAwakeable + 5), Result: journal.VoidResult()})

	long := k.invoke(object("long"), nil)
	for range 40 {
		long.write(nil, &journal.Run{Completion: long.completion(), Name: "a step with a name that takes its place in the journal"})
	}
	long.resolve(ident.FirstAwakeable + 3)

	k.invoke(object("scheduled"), func(ev *machine.Invoke) { ev.StartAt = k.now + hour })
	failing := k.invoke(object("failing"), nil)
	delay := int64(hour)
	failing.apply(&machine.Fail{Birth: failing.birth, Epoch: failing.epoch, Failure: machine.FailureEvent{Code: 500, CommandIndex: -1}, Delay: &delay, Unlimited: true})
	paused := k.invoke(object("paused"), nil)
	paused.park(1)
	paused.operate(machine.OpPause)
}

func alias(l *life) ident.InvocationID {
	row := l.k.read(machine.Need{From: machine.Key{Partition: l.id.Partition(), Table: machine.TableInvocation, A: uint64(l.birth)}})[0]
	return row.(*machine.InvocationRow).Alias
}

// showCalls has calls on both sides of their delivery, an attach, and a send.
func (k *keeper) showCalls() {
	caller := k.invoke(object("caller"), nil)
	first, row := caller.call(object("callee"))
	second, _ := caller.call(object("far"))
	callee := k.deliver(row)
	attach := &journal.AttachInvocation{Target: journal.AttachTarget{InvocationID: callee.id.String()}, Completion: caller.completion()}
	way := owed(caller.write(nil, attach))
	callee.apply(way.Message.Sent(way.Ref))
	caller.park(0, first, second, attach.Completion)

	answered := k.invoke(object("answered"), nil)
	c, row := answered.call(object("quick"))
	quick := k.deliver(row)
	answered.park(0, c)
	quick.end()
}

// showEnds has completed invocations with each kind of retention, and a marker of
// one that is gone.
func (k *keeper) showEnds() {
	k.invoke(object("usual"), nil).end()
	keep := func(completion, journal int64) func(*machine.Invoke) {
		return func(ev *machine.Invoke) {
			ev.Retention = machine.Retention{Completion: completion, Journal: journal}
		}
	}
	k.invoke(object("kept"), keep(5*day, hour)).end()
	gone := k.invoke(object("marked"), keep(0, 0))
	gone.park(1)
	gone.resolve(ident.FirstAwakeable)
	gone.end()
	service := k.invoke(ident.Target{Service: "Plain", Handler: "h", Kind: ident.KindService}, nil)
	service.end()
}

func workflow(key, handler string) ident.Target {
	t := ident.Target{Service: "Flow", Key: key, Handler: handler, Kind: ident.KindShared}
	if handler == "run" {
		t.Kind = ident.KindWorkflow
	}
	return t
}

func (k *keeper) flow(key, handler string) *life {
	return k.invoke(workflow(key, handler), func(ev *machine.Invoke) {
		ev.Retention = machine.Retention{OfWorkflow: true, Workflow: day}
		if handler == "run" {
			ev.ID, ev.Retention.Completion, ev.Retention.Journal = ident.WorkflowID("Flow", key), day, day
		}
	})
}

// showWorkflows has a run that waits for a promise together with a shared handler,
// and a workflow that never ran.
func (k *keeper) showWorkflows() {
	run := k.flow("w", "run")
	wait := func(l *life) {
		c := l.completion()
		l.write(nil, &journal.GetPromise{Key: "signed", Completion: c})
		l.park(0, c)
	}
	wait(run)
	wait(k.flow("w", "look"))
	never := k.flow("never", "sign")
	never.write(nil, &journal.CompletePromise{Key: "early", Completion: never.completion(), Result: journal.ValueOf([]byte("v"))})
	never.end()
}

// showChores has rows whose owner has let go of them.
func (k *keeper) showChores() {
	l := k.invoke(object("swept"), nil)
	l.set("a", 5000)
	l.set("b", 5000)
	l.write(nil, &journal.ClearAllState{})
	l.end()
}
