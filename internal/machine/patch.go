package machine

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// One output writes at most patchRows rows of a patch, and about patchBytes of
// values. A patch that has more is queued, and applied by a chore.
const (
	patchRows  = 512
	patchBytes = 256 << 10
	// patchOverhead is what a state row costs beside its name and its value.
	patchOverhead = 64
)

// EditState replaces the whole state of an object or a workflow. While the key is
// held, and while a run is unfinished, the patch waits in the queue of the key.
//
// The rows of the new state lie under a generation of their own, so they may be
// written by several outputs before the one that makes them the state: nobody
// sees a part of it.
type EditState struct {
	// Token is answered with AnswerStored: once the state is replaced when nothing
	// is in the way, else once the patch is queued.
	Token Token
	// Version, unless it is empty, is that of the state which may be replaced. A
	// patch that meets another one when its turn comes does nothing.
	Version string
	// Values are the whole new state, sorted by name, each name once.
	Values []StateValue
	// Retention says whether the key is that of a workflow, which is then kept
	// like one whose last invocation has ended. Only its workflow part is used. It
	// is zero when the running build does not bind the service; a workflow that is
	// there then stays one.
	Retention Retention
	// OfObject says that the service is an object in the running build: the
	// state outlives what an earlier build has kept there as a workflow.
	OfObject bool
}

func (*EditState) event() {}

// queuedPatch is a patch in memory.
type queuedPatch struct {
	row *PatchRow
	// token waits until the patch is applied, 0 when nobody does.
	token Token
	// places is what inlined says of its values, nil before it is applied.
	places []bool
	// applying says that a part of it is written.
	applying bool
}

// editState accepts a patch.
func (t *transition) editState(ev *EditState) []Need {
	run, needs := t.needRun()
	replaced := run != nil && t.replaceable(run)
	if needs == nil && replaced {
		needs = t.needRows(run)
	}
	locked := t.head.Holder != 0 || t.inbox.length > 0 || run.atWork()
	direct := !locked && fitsOutput(ev.Values)
	if needs == nil && direct && ev.Version != "" {
		needs = t.state.needAll()
	}
	if needs != nil {
		return needs
	}
	if replaced {
		t.removeWorkflow(run)
	}
	row := &PatchRow{Partition: t.partition, Seq: t.at.Seq, Version: ev.Version, Values: ev.Values, Retention: t.retentionOf(ev, run)}
	t.joinPatch(row, ev.OfObject)
	if direct {
		if t.versionFits(row) {
			t.writeStateRows(row, inlined(row.Values), 0)
			t.adopt(row)
		}
		t.leaveWorkflow(row.Retention, row.Seq, ident.InvocationID{})
		t.answer(Answer{Token: ev.Token, Kind: AnswerStored})
		return nil
	}
	t.queuePatch(row, ev.Token, locked)
	return nil
}

// needRun asks for the record of the run, if the key has one.
func (t *transition) needRun() (*invocation, []Need) {
	if t.head.Workflow.Run == 0 {
		return nil, nil
	}
	return t.findBirth(t.head.Workflow.Run, t.partition)
}

// atWork reports whether the run of a workflow has started and not ended. There
// may be none.
func (inv *invocation) atWork() bool {
	if inv == nil {
		return false
	}
	switch inv.row.Status {
	case StatusReady, StatusSuspended, StatusBackingOff, StatusPaused:
		return true
	default:
		return false
	}
}

// fitsOutput reports whether one output can write all rows of a state.
func fitsOutput(values []StateValue) bool {
	bytes := 0
	for i := range values {
		bytes += patchSize(&values[i])
	}
	return len(values) <= patchRows && bytes <= patchBytes
}

// patchSize is at least what a value takes of an output.
func patchSize(v *StateValue) int {
	return patchOverhead + len(v.Name) + len(v.Value)
}

// retentionOf returns that of a patch. When the running build does not bind the
// service, it is that of the workflow which is there: what is patched goes with it.
func (t *transition) retentionOf(ev *EditState, run *invocation) Retention {
	switch {
	case ev.OfObject || ev.Retention.OfWorkflow || t.head.Workflow == WorkflowHead{}:
		return ev.Retention
	case run != nil:
		return Retention{OfWorkflow: true, Workflow: run.row.Retention.Workflow}
	default:
		return Retention{OfWorkflow: true, Workflow: unboundKeep}
	}
}

// unboundKeep is how long a workflow without a run is kept behind a patch when no
// build says how long: 24 h, in ms.
const unboundKeep = 24 * 3_600_000

// joinPatch counts a patch, like an invocation, so that a workflow does not go
// before it is applied.
func (t *transition) joinPatch(p *PatchRow, ofObject bool) {
	switch {
	case p.Retention.OfWorkflow:
		t.countUnfinished()
	case ofObject:
		t.keepState()
	}
}

// queuePatch gives a patch a place in the queue. When nothing is in its way it is
// applied from there, and answered then.
func (t *transition) queuePatch(row *PatchRow, token Token, locked bool) {
	place := InboxRow{Partition: t.partition, Object: t.id, Seq: row.Seq, QueuedAt: t.at.Now, Kind: InboxPatch}
	t.inbox.push(place)
	t.putFresh(&place)
	t.putFresh(row)
	t.headDirty = true
	p := &queuedPatch{row: row}
	if t.patches == nil {
		t.patches = map[ident.Seq]*queuedPatch{}
	}
	t.patches[row.Seq] = p
	if locked {
		t.answer(Answer{Token: token, Kind: AnswerStored})
		return
	}
	p.token = token
	t.leave(ChoreRow{Kind: ChoreServeQueue})
}

// serveQueue does the next slice of a patch at the head of the queue, or starts
// the invocation that stands there. The key is given to somebody, or a run is at
// work, when another one has done so before.
func (t *transition) serveQueue(c *ChoreRow) []Need {
	run, needs := t.needRun()
	if needs != nil {
		return needs
	}
	if t.head.Holder != 0 || run.atWork() {
		t.delete(c.Key())
		return nil
	}
	if needs := t.inbox.need(); needs != nil {
		return needs
	}
	next, ok := t.inbox.peek()
	switch {
	case !ok:
		t.delete(c.Key())
		return nil
	case next.Kind == InboxPatch:
		return t.servePatch(c, next)
	}
	if _, needs := t.findBirth(next.Birth, t.partition); needs != nil {
		return needs
	}
	t.delete(c.Key())
	t.admit(next)
	return nil
}

// servePatch does one slice of the patch at the head of the queue.
func (t *transition) servePatch(c *ChoreRow, place InboxRow) []Need {
	p := t.patches[place.Seq]
	if p == nil {
		return []Need{{From: (&PatchRow{Partition: t.partition, Seq: place.Seq}).Key()}}
	}
	begun := c.Generation == place.Seq
	if !begun && p.row.Version != "" {
		if needs := t.state.needAll(); needs != nil {
			return needs
		}
	}
	if needs := t.needForLeaving(p.row.Retention); needs != nil {
		return needs
	}
	if begun || t.versionFits(p.row) {
		from := 0
		if begun {
			from = int(c.Next)
		}
		if p.places == nil {
			p.places = inlined(p.row.Values)
		}
		if next := t.writeStateRows(p.row, p.places, from); next < len(p.row.Values) {
			p.applying = true
			c.Generation, c.Next = place.Seq, uint32(next)
			t.again(c)
			return nil
		}
		t.adopt(p.row)
	}
	t.finishPatch(p, place)
	if t.inbox.length == 0 {
		t.delete(c.Key())
		return nil
	}
	c.Generation, c.Next = 0, 0
	t.again(c)
	return nil
}

// again writes a chore with a new cursor and asks for its next slice.
func (t *transition) again(c *ChoreRow) {
	row := *c
	t.put(&row)
	t.gate(&Continue{Chore: row})
}

// versionFits reports whether a patch may replace the state. Every value must be
// in memory when the patch asks for a version.
func (t *transition) versionFits(p *PatchRow) bool {
	return p.Version == "" || p.Version == StateVersion(t.state.all())
}

// writeStateRows writes the rows of values from index on, as many as fit an
// output, and returns the index of the next one. places is what inlined says of
// the values.
func (t *transition) writeStateRows(p *PatchRow, places []bool, from int) (next int) {
	rows, bytes := 0, 0
	for i := from; i < len(p.Values); i++ {
		if places[i] {
			continue
		}
		v := &p.Values[i]
		rows++
		if bytes += patchSize(v); rows > patchRows || rows > 1 && bytes > patchBytes {
			return i
		}
		t.put(&StateRow{Partition: t.partition, Object: t.id, Generation: p.Seq, Name: v.Name, Value: v.Value})
	}
	return len(p.Values)
}

// inlined says which values the head record holds. It is what state.replace
// decides.
func inlined(values []StateValue) []bool {
	in, bytes := make([]bool, len(values)), 0
	for i := range values {
		if in[i] = fitsInline(&values[i], bytes); in[i] {
			bytes += len(values[i].Name) + len(values[i].Value)
		}
	}
	return in
}

// adopt makes the values of a patch the state: all its rows are written.
func (t *transition) adopt(p *PatchRow) {
	if swept := t.state.replace(p.Seq, p.Values, t.at.Seq); swept != 0 {
		t.leave(ChoreRow{Kind: ChoreSweepState, Generation: swept})
	}
	t.headDirty = true
}

// finishPatch removes a patch that was applied or skipped.
func (t *transition) finishPatch(p *queuedPatch, place InboxRow) {
	t.inbox.pop()
	t.delete(place.Key())
	t.delete(p.row.Key())
	t.headDirty = true
	delete(t.patches, place.Seq)
	t.leaveWorkflow(p.row.Retention, p.row.Seq, ident.InvocationID{})
	t.answer(Answer{Token: p.token, Kind: AnswerStored})
}

// loadedPatch takes the row of a queued patch.
func (o *Object) loadedPatch(seq ident.Seq, rows []Row) error {
	if len(rows) == 0 {
		return fmt.Errorf("patch %v of %s has a place in the queue and no row: %w", seq, o.key, ErrInconsistent)
	}
	if o.patches == nil {
		o.patches = map[ident.Seq]*queuedPatch{}
	}
	o.patches[seq] = &queuedPatch{row: rows[0].(*PatchRow)}
	return nil
}

// settlePatches lets go of patches that can be read back.
func (o *Object) settlePatches(durable ident.Seq) {
	for seq, p := range o.patches {
		if seq <= durable && !p.applying && p.token == 0 {
			delete(o.patches, seq)
		}
	}
	if len(o.patches) == 0 {
		o.patches = nil // a map keeps the room of a burst, and every event would walk over it
	}
}
