package machine

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Object is the state of one key in memory. It is not safe for concurrent use:
// one actor owns it.
type Object struct {
	key       ident.ObjectKey
	id        ident.ObjectID
	partition ident.Partition

	// head is valid once headKnown; headStored says that a row exists.
	head                  HeadRow
	headKnown, headStored bool

	state    state
	inbox    inbox
	promises promises

	// invocations are those in memory, by birth.
	invocations map[ident.Seq]*invocation
	// births finds a birth by id; 0 is an id that has no row. absent holds
	// births without a row, markers what is known about markers. What is known
	// to be missing is forgotten when the event is done.
	births  map[ident.InvocationID]ident.Seq
	absent  map[ident.Seq]bool
	markers map[ident.InvocationID]*MarkerRow
	chores  map[choreStep][]Row
	// patches are the queued patches in memory: those that may not be durable yet,
	// and the one that is being applied.
	patches map[ident.Seq]*queuedPatch
	// aliases finds a birth by alias, as births by id.
	aliases map[ident.InvocationID]ident.Seq
	// gone are invocations whose removal may not be durable yet.
	gone       map[ident.InvocationID]goneInvocation
	goneBirths map[ident.Seq]goneInvocation

	// attempts counts live attempts.
	attempts int
	// loadedBirths are the invocations that were read for the present event, dirty
	// those that it has changed. Both are empty between events.
	loadedBirths []ident.Seq
	dirty        []*invocation
	// unsettled lists the invocations that outputs have written or read, oldest
	// first, until Settle.
	unsettled []unsettled
}

// keptUnsettled bounds the memory of the list that a key keeps.
const keptUnsettled = 16

// unsettled is one invocation that an output wrote or read.
type unsettled struct{ seq, birth ident.Seq }

// New returns the object of key, whose rows lie in partition p. Nothing is
// loaded yet.
func New(p ident.Partition, key ident.ObjectKey) *Object {
	return &Object{
		key: key, id: key.ID(), partition: p,
		invocations: map[ident.Seq]*invocation{},
		births:      map[ident.InvocationID]ident.Seq{},
	}
}

// Apply changes the object and fills out, which the caller has Reset. When it
// returns needs, nothing has changed: the caller reads these rows, hands them
// to Loaded, and applies the same event again before any other one.
func (o *Object) Apply(at Stamp, ev Event, out *Output) (needs []Need) {
	t := transition{Object: o, at: at, out: out}
	if needs = t.dispatch(ev); needs == nil {
		t.finish()
	}
	return needs
}

func (t *transition) dispatch(ev Event) []Need {
	if makesService(ev) {
		t.headKnown = true // a service invocation is its own key and has no head
	}
	if !t.headKnown {
		return []Need{{From: HeadKey(t.partition, t.key)}}
	}
	switch ev := ev.(type) {
	case *Invoke:
		return t.invoke(ev)
	case *Append:
		return t.append(ev)
	case *Park:
		return t.park(ev)
	case *Fail:
		return t.fail(ev)
	case *ReadState:
		return t.readState(ev)
	case *Signal:
		return t.signal(ev)
	case *Returned:
		return t.returned(ev)
	case *Attach:
		return t.attach(ev)
	case *Operate:
		return t.operate(ev)
	case *Wake:
		return t.wake(ev)
	case *Recover:
		return t.recover(ev)
	case *Expire:
		return t.expire(ev)
	case *DoChore:
		return t.chore(ev)
	case *Deadlocked:
		return t.deadlocked(ev)
	case *EditState:
		return t.editState(ev)
	case *Restart:
		return t.restart(ev)
	default:
		panic(fmt.Sprintf("machine: event %T is not in the closed set", ev))
	}
}

// makesService reports whether ev makes an invocation of a plain service.
func makesService(ev Event) bool {
	switch ev := ev.(type) {
	case *Invoke:
		return ev.Target.Kind == ident.KindService
	case *Restart:
		return ev.Invoke.Target.Kind == ident.KindService
	default:
		return false
	}
}

// Settle says that every output up to durable is on disk, so that what they
// wrote may be forgotten and read again.
func (o *Object) Settle(durable ident.Seq) {
	all, n := o.unsettled, 0
	for n < len(o.unsettled) && o.unsettled[n].seq <= durable {
		if inv := o.invocations[o.unsettled[n].birth]; inv != nil {
			o.settleInvocation(inv, durable)
		}
		o.unbury(o.unsettled[n].birth, durable)
		n++
	}
	if o.unsettled = all[n:]; n == len(all) && n <= keptUnsettled {
		o.unsettled = all[:0]
	}
	o.inbox.settle(durable)
	o.state.settle(durable)
	o.promises.settle(durable)
	o.settlePatches(durable)
}

func (o *Object) settleInvocation(inv *invocation, durable ident.Seq) {
	if inv.written > durable {
		inv.trim(durable)
		return
	}
	switch {
	case inv.live:
		inv.trim(durable)
	case inv.row.Status == StatusPending && o.inbox.near(inv.row.InboxSeq):
		// It starts soon: its input stays in memory.
	default:
		o.forget(inv)
	}
}

func (o *Object) forget(inv *invocation) {
	delete(o.invocations, inv.row.Birth)
	delete(o.aliases, inv.row.Alias)
	if o.births[inv.row.ID] == inv.row.Birth {
		delete(o.births, inv.row.ID)
	}
}

// Idle reports whether the object holds nothing that the store does not, once
// its outputs are durable: no attempt is running.
func (o *Object) Idle() bool { return o.attempts == 0 }
