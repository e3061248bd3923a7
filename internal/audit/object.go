package audit

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// object is what is known of a key. One without a stored head stands for what
// others say of it.
type object struct {
	key ident.ObjectKey
	// row is the head, without the values of the state.
	row                machine.HeadRow
	stored, unreadable bool
	// inline are the names of the values in the head, when there are rows as well.
	inline []string

	places, values, promises, unfinished uint64
	// run is the record of the run of a workflow; expires says that a row removes
	// one that never ran.
	run     *record
	expires bool
}

func (o *object) name() string { return o.key.String() }

// object returns the object of a key.
func (p *partition) object(key ident.ObjectKey) *object {
	o := p.objects[key]
	if o == nil {
		o = &object{key: key}
		p.objects[key] = o
	}
	return o
}

func (p *partition) head(h *machine.HeadRow) {
	o := p.object(h.Object)
	o.stored, o.row = true, *h
	p.byID[h.Object.ID()] = o
	if h.StateRows > 0 {
		for i := range h.Inline {
			o.inline = append(o.inline, h.Inline[i].Name)
		}
	}
	if h.Holder == 0 && h.InboxLength == 0 && h.StateRows == 0 && len(h.Inline) == 0 && h.Workflow == (machine.WorkflowHead{}) {
		p.find(RuleOwner, o.name(), "its head has nothing to say and should not be there")
	}
	o.row.Inline = nil
}

// member notes what an invocation says of its key.
func (p *partition) member(r *record, row *machine.InvocationRow) {
	counts := row.Retention.OfWorkflow && row.Status != machine.StatusCompleted
	run := r.kind == ident.KindWorkflow
	if !counts && !run && !r.holds() {
		return
	}
	o := p.object(r.object)
	if counts {
		o.unfinished++
	}
	if run && o.run != nil {
		p.find(RuleWorkflow, o.name(), "it has two runs, %s of birth %v and %v", r.id, o.run.birth, r.birth)
	}
	if run {
		o.run = r
	}
	if r.holds() && (o.row.Holder != r.birth || o.row.HolderID != r.id) && !o.unreadable {
		p.find(RuleHolder, o.name(), "%s is %s and must hold the key, which birth %v holds", r.id, r.status, o.row.Holder)
	}
}

func (p *partition) inbox(q *machine.InboxRow) {
	o := p.byID[q.Object]
	if o == nil {
		if !p.unsure {
			p.find(RuleOwner, RowName(q.Key()), "a place in a queue belongs to no key")
		}
		return
	}
	o.places++
	if q.Seq < o.row.InboxFirst {
		p.find(RuleQueue, o.name(), "place %v stands before the first one, which its head says is %v", q.Seq, o.row.InboxFirst)
	}
	if q.Kind == machine.InboxPatch {
		p.patches[q.Seq] = o
		return
	}
	r := p.of(q.Birth, RuleQueue, o.name(), "a place in its queue")
	switch {
	case r == nil:
	case r.status != machine.StatusPending || r.inbox != q.Seq || r.id != q.ID || r.object != o.key:
		p.find(RuleQueue, o.name(), "place %v names %s, which is %s and stands at %v", q.Seq, q.ID, r.status, r.inbox)
	default:
		r.found |= foundInbox
	}
}

func (p *partition) patch(u *machine.PatchRow) {
	o := p.patches[u.Seq]
	if o == nil {
		if !p.lost[machine.TableInbox] {
			p.find(RuleOwner, RowName(u.Key()), "a patch of the state has no place in a queue")
		}
		return
	}
	delete(p.patches, u.Seq)
	if u.Retention.OfWorkflow {
		o.unfinished++
	}
}

// state looks at a value. Those of a patch that is being applied lie under a
// generation of their own.
func (p *partition) state(s *machine.StateRow) {
	if p.sweeps.has(machine.TableState, s.Generation) {
		return
	}
	o := p.byID[s.Object]
	switch {
	case o != nil && o.unreadable:
	case o != nil && o.row.Generation == s.Generation:
		o.values++
		if _, twice := slices.BinarySearch(o.inline, s.Name); twice {
			p.find(RuleState, o.name(), "the value %q is in the head and in a row", s.Name)
		}
	case o != nil && p.sweeps.serving[o.key] == s.Generation:
	case !p.unsure:
		p.find(RuleOwner, RowName(s.Key()), "a value of the state belongs to no generation of a key")
	}
}

// finishObject compares a head with what was met.
func (p *partition) finishObject(o *object) {
	if o.unreadable {
		return
	}
	h := &o.row
	p.finishHolder(o)
	if o.places != h.InboxLength || (h.InboxFirst != 0) != (h.InboxLength != 0) {
		p.find(RuleCount, o.name(), "its queue has %d places, and its head says %d from %v on", o.places, h.InboxLength, h.InboxFirst)
	}
	if o.values != uint64(h.StateRows) {
		p.find(RuleCount, o.name(), "its state has %d rows, and its head says %d", o.values, h.StateRows)
	}
	if _, served := p.sweeps.serving[o.key]; h.Holder == 0 && h.InboxLength > 0 && !served && (o.run == nil || !o.run.atWork()) {
		p.find(RuleReason, o.name(), "its queue has %d places, nobody holds the key, and nothing goes on with it", h.InboxLength)
	}
	if h.Workflow != (machine.WorkflowHead{}) || o.run != nil || o.unfinished > 0 || o.promises > 0 {
		p.finishWorkflow(o)
	}
}

func (p *partition) finishHolder(o *object) {
	if o.row.Holder == 0 {
		return
	}
	switch r := p.records[o.row.Holder]; {
	case r == nil && !p.unsure:
		p.find(RuleHolder, o.name(), "birth %v holds the key and has no record", o.row.Holder)
	case r == nil || r.unreadable:
	case !r.holds() || r.object != o.key || r.id != o.row.HolderID:
		p.find(RuleHolder, o.name(), "%s holds the key, and the invocation of that birth is %s, a %s one of %s that is %s", o.row.HolderID, r.id, r.kind, r.object, r.status)
	}
}
