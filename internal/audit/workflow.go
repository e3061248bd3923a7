package audit

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// promiseKey names a promise. Generations are unique in a store.
type promiseKey struct {
	generation ident.Seq
	number     uint32
}

// listenerKey names somebody who waits for a promise.
type listenerKey struct {
	promiseKey
	listener uint32
}

// listening is a wait for a promise, as whoever waits tells it.
type listening struct {
	id         ident.InvocationID
	birth      ident.Seq
	completion uint32
	// needed says that the listener must be there; going that a chore removes
	// both.
	needed, going bool
}

// listens notes that an invocation, whose record may be gone, waits for a promise.
func (p *partition) listens(w *machine.PendingRow, row *machine.InvocationRow) {
	l := listening{birth: w.Birth, completion: w.Completion, going: p.sweeps.has(machine.TablePending, w.Birth)}
	l.needed = !l.going && row != nil
	if row != nil {
		l.id = row.ID
	}
	p.listeners[listenerKey{promiseKey{w.Generation, w.Promise}, w.Listener}] = l
}

// promise looks at one promise. Number says which it is among those of its
// generation.
func (p *partition) promise(d *machine.PromiseRow) {
	p.promises[promiseKey{d.Generation, d.Number}] = d.Result.Kind != journal.ResultNone
	if p.sweeps.has(machine.TablePromise, d.Generation) {
		return
	}
	o := p.byID[d.Object]
	switch {
	case o != nil && o.unreadable:
	case o != nil && o.row.Workflow.Generation == d.Generation:
		o.promises++
		if d.Number == 0 || d.Number > o.row.Workflow.Promises {
			p.find(RulePromise, o.name(), "promise %q has number %d of %d", d.Name, d.Number, o.row.Workflow.Promises)
		}
	case !p.unsure:
		p.find(RuleOwner, RowName(d.Key()), "promise %q belongs to no generation of a workflow", d.Name)
	}
}

// listener looks at one who waits for a promise: he must wait, the promise must be
// there, and if there is something to say to him, a chore must be about to say it.
func (p *partition) listener(b *machine.ListenerRow) {
	promise := promiseKey{b.Generation, b.Promise}
	key := listenerKey{promise, b.N}
	l, known := p.listeners[key]
	delete(p.listeners, key)
	r := p.records[b.Birth]
	if p.unsure || r != nil && r.unreadable {
		return
	}
	if !known || l.birth != b.Birth || l.completion != b.Completion {
		p.find(RulePromise, b.ID.String(), "listener %d of promise %q waits for nothing", b.N, b.Name)
		return
	}
	if p.sweeps.has(machine.TablePromise, b.Generation) {
		return
	}
	o := p.byID[b.Object]
	completed, there := p.promises[promise]
	switch {
	case o == nil:
		p.find(RuleOwner, RowName(b.Key()), "listener %d of promise %q belongs to no key", b.N, b.Name)
	case o.unreadable:
	case !there:
		p.find(RulePromise, b.ID.String(), "it waits for promise %q of %s, which is not there", b.Name, o.key)
	case (completed || o.row.Workflow.Expiring) && !l.going && !p.sweeps.answers(promise):
		p.find(RulePromise, b.ID.String(), "it waits for promise %q of %s, which is done, and nobody tells it", b.Name, o.key)
	}
}

// finishListeners finds waits for promises that no completion would end.
func (p *partition) finishListeners() {
	for key, l := range p.listeners {
		if r := p.records[l.birth]; l.needed && !(r != nil && r.unreadable) && !p.lost[machine.TableListener] {
			p.find(RulePromise, l.id.String(), "it waits for promise %d, and has no place there", key.number)
		}
	}
}

// expiresWorkflow looks at what removes a workflow that never ran.
func (p *partition) expiresWorkflow(e *machine.ExpiryRow) {
	o := p.objects[e.Object]
	switch {
	case o != nil && o.unreadable:
	case o == nil || o.row.Workflow.ExpiresAt == 0 || o.row.Workflow.ExpiryBirth != e.Birth || hourOf(o.row.Workflow.ExpiresAt) != e.Hour:
		p.find(RuleExpiry, e.Object.String(), "a row removes the workflow in hour %d, which its head does not know", e.Hour)
	default:
		o.expires = true
	}
}

// hourOf returns the hour in which what expires at ms is removed.
func hourOf(ms int64) int64 {
	row := machine.InvocationRow{ExpiresAt: ms}
	return row.Expiry(ident.ObjectKey{}).Hour
}

// finishWorkflow compares what the head knows of a workflow with what was met.
func (p *partition) finishWorkflow(o *object) {
	w := &o.row.Workflow
	if o.unfinished != uint64(w.Unfinished) && !p.lost[machine.TableInvocation] && !p.lost[machine.TablePatch] {
		p.find(RuleWorkflow, o.name(), "%d invocations and patches are unfinished, and its head says %d", o.unfinished, w.Unfinished)
	}
	switch {
	case o.run == nil && w.Run == 0:
	case o.run == nil:
		if r := p.records[w.Run]; !p.unsure && (r == nil || !r.unreadable) {
			p.find(RuleWorkflow, o.name(), "its head says that birth %v is its run, which has no record", w.Run)
		}
	case o.run.birth != w.Run:
		p.find(RuleWorkflow, o.name(), "its run is %s of birth %v, and its head says %v", o.run.id, o.run.birth, w.Run)
	}
	if w.Expiring && (w.Unfinished == 0 || o.run == nil || o.run.status != machine.StatusCompleted) {
		p.find(RuleWorkflow, o.name(), "it is being removed, and %d unfinished invocations of it hold that up", w.Unfinished)
	}
	if o.promises != uint64(w.Promises) {
		p.find(RuleCount, o.name(), "it has %d promises, and its head says %d", o.promises, w.Promises)
	}
	switch {
	case w.ExpiresAt != 0 && !o.expires && !p.lost[machine.TableExpiry]:
		p.find(RuleExpiry, o.name(), "nothing removes the workflow when its retention is over")
	case w.Promises > 0 && w.Run == 0 && w.Unfinished == 0 && w.ExpiresAt == 0:
		p.find(RuleExpiry, o.name(), "%d promises are never removed", w.Promises)
	}
}
