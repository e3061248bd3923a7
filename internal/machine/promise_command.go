package machine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// needPromise asks for what a command on a promise reads: its row, and for a
// completion everyone who waits, with their records.
func (t *transition) needPromise(name string, completes bool) []Need {
	if needs := t.promises.need(name); needs != nil || !completes {
		return needs
	}
	if needs := t.promises.needListeners(name); needs != nil {
		return needs
	}
	p := t.promises.byName[name]
	if p == nil || p.completed() || p.crowded || len(p.listeners) > inlineListeners {
		return nil
	}
	return t.needListenersOf(p.list())
}

// needListenersOf asks for the records of listeners, and for the completions
// that they are owed.
func (t *transition) needListenersOf(list []ListenerRow) (needs []Need) {
	asked := map[Need]bool{}
	for i := range list {
		inv, more := t.findBirth(list[i].Birth, t.partition)
		if more == nil && inv != nil && inv.row.Status != StatusCompleted {
			more = t.needPending(inv, list[i].Completion)
		}
		for _, n := range more {
			if !asked[n] {
				asked[n] = true
				needs = append(needs, n)
			}
		}
	}
	return needs
}

// getPromise answers with the result of a promise, now or when there is one.
func (t *transition) getPromise(inv *invocation, c *journal.GetPromise) {
	if refused := t.refusesPromise(inv, c.Key); refused != nil {
		t.complete1(inv, journal.TypeGetPromiseCompletion, c.Completion, *refused)
		return
	}
	p := t.promises.get(c.Key)
	switch {
	case p.completed():
		t.complete1(inv, journal.TypeGetPromiseCompletion, c.Completion, p.row.Result)
	case t.head.Workflow.Expiring:
		t.complete1(inv, journal.TypeGetPromiseCompletion, c.Completion, expiredPromise(c.Key))
	default:
		t.listen(inv, t.promises.create(c.Key, t.at), c.Completion)
	}
}

// listen makes inv wait for an open promise.
func (t *transition) listen(inv *invocation, p *promise, completion uint32) {
	p.row.Asked++
	l := ListenerRow{
		Partition: t.partition, Object: t.id, Generation: p.row.Generation, Promise: p.row.Number, N: p.row.Asked,
		Name: p.row.Name, ID: inv.row.ID, Birth: inv.row.Birth, Completion: completion,
	}
	p.listen(listener{row: l, seq: t.at.Seq})
	t.putFresh(&l)
	t.changePromise(p)
	t.expect(inv, &PendingRow{Completion: completion, Generation: l.Generation, Promise: l.Promise, Listener: l.N})
}

// peekPromise answers with what a promise has.
func (t *transition) peekPromise(inv *invocation, c *journal.PeekPromise) {
	r := journal.VoidResult()
	if refused := t.refusesPromise(inv, c.Key); refused != nil {
		r = *refused
	} else if p := t.promises.get(c.Key); p.completed() {
		r = p.row.Result
	}
	t.complete1(inv, journal.TypePeekPromiseCompletion, c.Completion, r)
}

// completePromise gives a promise its result, unless it has one.
func (t *transition) completePromise(inv *invocation, c *journal.CompletePromise) {
	r := journal.VoidResult()
	refused := t.refusesPromise(inv, c.Key)
	if refused == nil && t.promises.get(c.Key).completed() {
		r = journal.FailureOf(409, "promise "+strconv.Quote(c.Key)+" has been completed before")
	} else if refused == nil && t.head.Workflow.Expiring {
		r = expiredPromise(c.Key)
	} else if refused != nil {
		r = *refused
	}
	t.complete1(inv, journal.TypeCompletePromiseCompletion, c.Completion, r)
	if r.Kind != journal.ResultVoid {
		return
	}
	p := t.promises.create(c.Key, t.at)
	p.row.Result, p.row.CompletedAt = c.Result, t.at.Now
	t.changePromise(p)
	t.answerListeners(p)
}

// refusesPromise returns why inv can have no such promise, nil when it can.
func (t *transition) refusesPromise(inv *invocation, name string) *journal.Result {
	var r journal.Result
	switch {
	case !inv.row.Retention.OfWorkflow:
		r = journal.FailureOf(400, fmt.Sprintf("promise %q: %s is no handler of a workflow, and only workflows have promises: use an awakeable", name, inv.row.Target))
	case name == "":
		r = journal.FailureOf(400, "a promise needs a name")
	default:
		return nil
	}
	return &r
}

func expiredPromise(name string) journal.Result {
	return journal.FailureOf(404, "promise "+strconv.Quote(name)+" was never completed, and its workflow is being removed")
}

// answerListeners hands the result of a promise to everyone who waits for it.
func (t *transition) answerListeners(p *promise) {
	list := p.list()
	p.listeners = nil
	switch {
	case !p.listed || p.crowded || len(list) > inlineListeners || !t.affords(len(list), &p.row.Result):
		t.leave(ChoreRow{Kind: ChoreAnswerListeners, Generation: p.row.Generation, Promise: p.row.Number})
	default:
		for i := range list {
			t.answerListener(&list[i], &p.row.Result)
		}
	}
}

// affords reports whether this output can carry r to n more listeners, and if so
// counts them. One is always carried.
func (t *transition) affords(n int, r *journal.Result) bool {
	served, bytes := t.served+n, t.servedBytes+n*sizeOf(r)
	if served > 1 && (served > fanOut || bytes > fanOutBytes) {
		return false
	}
	t.served, t.servedBytes = served, bytes
	return true
}

// answerListener removes a listener and hands it r, if that is still owed.
func (t *transition) answerListener(l *ListenerRow, r *journal.Result) {
	t.delete(l.Key())
	inv := t.invocations[l.Birth]
	if inv == nil || inv.row.Status == StatusCompleted || !inv.pending[l.Completion].awaits(l) {
		return
	}
	t.settlePending(inv, l.Completion)
	t.complete1(inv, journal.TypeGetPromiseCompletion, l.Completion, *r)
}

// awaits reports whether r, which may be nil, is owed to the listener l.
func (r *PendingRow) awaits(l *ListenerRow) bool {
	return r != nil && r.Generation == l.Generation && r.Promise == l.Promise && r.Listener == l.N
}

// listenerKey returns the key of the ListenerRow that r names. object is the key of
// the workflow.
func (t *transition) listenerKey(r *PendingRow) Key {
	l := ListenerRow{Partition: r.Partition, Object: t.id, Generation: r.Generation, Promise: r.Promise, N: r.Listener}
	return l.Key()
}

func (t *transition) changePromise(p *promise) {
	if p.changedAt == t.at.Seq {
		return
	}
	p.changedAt = t.at.Seq
	t.headDirty = t.headDirty || p.fresh
	t.promised = append(t.promised, p)
}

// writePromises writes the promises that changed, unless they went with their
// workflow in the same output.
func (t *transition) writePromises() {
	for _, p := range t.promised {
		if p.row.Generation != t.promises.generation {
			continue
		}
		row := p.row
		if p.fresh {
			t.putFresh(&row)
		} else {
			t.put(&row)
		}
		p.fresh, p.written = false, t.at.Seq
		t.promises.unsettled = append(t.promises.unsettled, unsettledPromise{seq: t.at.Seq, name: row.Name})
	}
}

// needForListening asks for the promises that an invocation which ends waits for.
func (t *transition) needForListening(inv *invocation) []Need {
	if n := inv.row.Pending; !inv.row.Retention.OfWorkflow || n == 0 || n > fanOut || inv.knows(TablePending) {
		return nil
	}
	return []Need{inv.rangeOf(TablePending, fanOut+1)}
}

// stopListening removes an invocation that ends from the promises it waits for.
func (t *transition) stopListening(inv *invocation) {
	if !inv.row.Retention.OfWorkflow || inv.row.Pending == 0 {
		return
	}
	if inv.row.Pending > fanOut || !inv.knowsPending() {
		t.leave(ChoreRow{Kind: ChoreStopListening, Birth: inv.row.Birth, ID: inv.row.ID})
		inv.pending, inv.row.Pending = nil, 0 // the rows belong to the chore
		return
	}
	for _, completion := range slices.Sorted(maps.Keys(inv.pending)) {
		if p := inv.pending[completion]; p != nil && p.Promise != 0 {
			t.delete(t.listenerKey(p))
			t.settlePending(inv, completion)
		}
	}
}

// knowsPending reports whether every pending row is in memory.
func (inv *invocation) knowsPending() bool {
	n := uint32(0)
	for _, p := range inv.pending {
		if p != nil {
			n++
		}
	}
	return n == inv.row.Pending
}

// choreListeners does the next slice of answering listeners: those of one
// promise, or of all promises of a workflow that is being removed.
func (t *transition) choreListeners(c *ChoreRow) []Need {
	rows, known := t.chores[choreStep{table: TableListener, owner: uint64(c.Generation)}]
	if !known {
		from := Key{Partition: t.partition, Table: TableListener, Object: t.id, A: uint64(c.Generation), B: uint64(c.Promise)}
		to := from
		if to.B++; c.Promise == 0 {
			to.A, to.B = to.A+1, 0
		}
		return []Need{{From: from, To: to, Limit: fanOut, slice: true}}
	}
	list := make([]ListenerRow, len(rows))
	var needs []Need
	for i, row := range rows {
		list[i] = *row.(*ListenerRow)
		again := i > 0 && list[i].Promise == list[i-1].Promise // they come in order
		if c.Generation == t.promises.generation && !again {
			needs = append(needs, t.promises.need(list[i].Name)...)
		}
	}
	if needs == nil {
		list = list[:t.portion(c, list)]
		needs = t.needListenersOf(list)
	}
	if needs != nil {
		return needs
	}
	for i := range list {
		t.answerListener(&list[i], t.tells(c, &list[i]))
	}
	if len(list) > 0 {
		t.gate(&Continue{Chore: *c})
	} else {
		t.delete(c.Key())
	}
	return nil
}

// portion returns how many of the listeners this output answers: as many as it
// can carry results to, and at least one if there is anything to say.
func (t *transition) portion(c *ChoreRow, list []ListenerRow) (n int) {
	bytes := 0
	for n < len(list) {
		r := t.tells(c, &list[n])
		if r == nil {
			break
		}
		if bytes += sizeOf(r); n > 0 && bytes > fanOutBytes {
			break
		}
		n++
	}
	return n
}

// tells returns what a chore has to say to a listener, nil for nothing yet.
func (t *transition) tells(c *ChoreRow, l *ListenerRow) *journal.Result {
	r := expiredPromise(l.Name)
	if c.Generation != t.promises.generation {
		return &r // its workflow is gone, and so is its invocation
	}
	p := t.promises.get(l.Name)
	switch {
	case p.completed():
		return &p.row.Result
	case t.head.Workflow.Expiring:
		return &r
	default:
		return nil
	}
}
