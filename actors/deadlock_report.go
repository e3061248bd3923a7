package actors

import (
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// codeDeadlock is the code of a call that can never be answered.
const codeDeadlock = 508

// maxNamed is how many invocations of a cycle a message names.
const maxNamed = 12

// report logs and counts a cycle that is new, and fails a call of it when that
// was asked for.
func (d *deadlocks) report(c cycle) {
	closing := c.closing(func(link) bool { return true })
	failing := c.closing(d.fails)
	if closing < 0 {
		closing = 0 // attaches alone
	}
	if d.reported.first(c.key()) {
		d.found.Add(1)
		message := "calls wait for each other and none can go on: cancel or kill one, or give its service WithFailOnDeadlock"
		if failing >= 0 {
			message, closing = "calls wait for each other and none can go on: the first one named fails", failing
		}
		d.rt.logger.Warn(message, "cycle", c.from(closing).String(), "invocations", strings.Join(c.from(closing).names(), " "))
	}
	if failing >= 0 {
		d.fail(c.from(failing))
	}
}

// fails reports whether the service that made a call wants it to fail.
func (d *deadlocks) fails(l link) bool {
	s := d.rt.bindings[l.record.Target.Service]
	return s != nil && s.definition.GetOptions().FailOnDeadlock
}

// closing returns the position of the caller whose call was queued last, among
// those for which eligible holds. In a cycle in which no such call is queued it
// is the youngest of the callers that have joined, by an idempotency key, an
// invocation which was there before. It is -1 when there is none of these either.
// Every look at a cycle comes to the same, also after a restart.
func (c cycle) closing(eligible func(link) bool) int {
	closing := -1
	for i, l := range c {
		if l.failable() && eligible(l) && (closing < 0 || l.after(c[closing])) {
			closing = i
		}
	}
	return closing
}

// failable reports whether a wait is a call whose callee does not run on behalf
// of this caller.
func (l link) failable() bool {
	return l.called && (l.queued() || l.to.record.Caller.ReplyTo != l.address())
}

func (l link) queued() bool { return l.to.record.Status == machine.StatusPending }

func (l link) after(other link) bool {
	switch {
	case l.queued() && other.queued():
		return l.to.record.InboxSeq > other.to.record.InboxSeq
	case l.queued() != other.queued():
		return l.queued()
	default:
		return l.birth > other.birth
	}
}

// address is where the answer goes that the caller waits for.
func (l link) address() machine.Address {
	r := l.record
	return machine.Address{Object: ident.ObjectKeyOf(r.Target, r.ID), ID: r.ID, Birth: r.Birth, Completion: l.completion}
}

// fail ends the wait of the first in the cycle, through the key of its callee.
func (d *deadlocks) fail(c cycle) {
	called := c[0].to.record
	ev := &machine.Deadlocked{
		Birth: called.Birth, ID: called.ID, To: c[0].address(),
		Result: journal.FailureOf(codeDeadlock, "deadlock, this call can never be answered: "+c.String()),
	}
	d.rt.trace.pass(PointDeadlocked)
	d.rt.registry.deliver(ident.ObjectKeyOf(called.Target, called.ID), called.ID.Partition(), ev)
}

// names returns the ids.
func (c cycle) names() []string {
	names := make([]string, len(c))
	for i, l := range c {
		names[i] = l.record.ID.String()
	}
	return names
}

// String says who waits for whom, in words. A long cycle is cut in the middle.
func (c cycle) String() string {
	var b strings.Builder
	b.WriteString(c[0].subject())
	for i, l := range c {
		if cut := maxNamed / 2; len(c) > maxNamed && i >= cut && i < len(c)-cut {
			if i == cut {
				b.WriteString(", and so on")
			}
			continue
		}
		if i > 0 {
			b.WriteString(", which")
		}
		b.WriteString(l.relation())
		b.WriteString(l.to.subject())
	}
	return b.String()
}

func (n *node) subject() string { return n.record.Target.String() + " (" + n.record.ID.String() + ")" }

func (l link) relation() string {
	switch {
	case l.completion == 0:
		return " is queued behind "
	case l.called:
		return " waits for its call of "
	default:
		return " is attached to "
	}
}

// around returns the cycle that an invocation is in or waits for. Handlers that
// have not been asked yet what they wait for are given a moment to say it.
func (d *deadlocks) around(inv *machine.InvocationRow) ([]ident.InvocationID, error) {
	var ids []ident.InvocationID
	for range askRounds {
		f, err := d.find(root{partition: inv.ID.Partition(), birth: inv.Birth})
		if err != nil {
			return nil, err
		}
		for _, l := range f.cycle {
			ids = append(ids, l.record.ID)
		}
		if !f.asked && !f.behind {
			break
		}
		answer := d.rt.sched.Signal()
		d.rt.clock.base.AfterFunc(askPause, answer.Notify)
		answer.Wait()
	}
	return ids, nil
}

// An introspection waits at most askRounds times askPause for handlers.
const (
	askRounds = 20
	askPause  = time.Millisecond
)
