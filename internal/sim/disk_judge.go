package sim

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// take judges an output that takes an outbox row: the row is durable, and nobody
// else has taken it.
func (d *disk) take(o *output, k machine.Key) {
	row, err := d.get(k)
	if errors.Is(err, persistence.ErrClosed) {
		return // the disk has failed: nothing is committed any more
	}
	switch by, taken := d.taken[k]; {
	case err != nil:
		d.loop.fail(InvariantHandOver, "%s cannot be read: %v", d.rowName(k), err)
	case taken:
		d.loop.fail(InvariantHandOver, "output %v takes %s, which output %v has taken", o.seq, d.rowName(k), by)
	case row == nil && d.written[k] > 0:
		d.loop.fail(InvariantGate, "output %v takes %s, which is not durable", o.seq, d.rowName(k))
	case row == nil:
		d.loop.fail(InvariantHandOver, "output %v takes %s, which is gone", o.seq, d.rowName(k))
	}
	d.taken[k] = o.seq
	t := taken{key: k}
	if owed, ok := row.(*machine.OutboxRow); ok && owed.CauseBirth != 0 {
		t.pair, t.ref = pair{d.homes[owed.CauseBirth], d.receiver(owed.Message)}, owed.Ref
	}
	o.taken = append(o.taken, t)
}

// judgeForeign judges an output that takes an answer: one to a life that is over does
// nothing else.
func (d *disk) judgeForeign(o *output, writes []machine.Write) {
	if len(o.taken) != 1 || len(writes) == 1 {
		return
	}
	row, _ := d.get(o.taken[0].key)
	owed, _ := row.(*machine.OutboxRow)
	if owed == nil {
		return
	}
	back, ok := owed.Message.(*machine.Returned)
	if !ok {
		return
	}
	record := machine.Key{Partition: back.To.ID.Partition(), Table: machine.TableInvocation, A: uint64(back.To.Birth)}
	if row, _ := d.get(record); row == nil && d.written[record] == 0 {
		d.loop.fail(InvariantHandOver, "output %v takes an answer to birth %v, which is gone, and writes %d rows", o.seq, back.To.Birth, len(writes))
	}
}

// learn notes which key an invocation has, and the head of a key.
func (d *disk) learn(o *output, row machine.Row) {
	switch row := row.(type) {
	case *machine.IDRow:
		d.homes[row.Birth], d.births[row.ID] = row.Object, row.Birth
	case *machine.HeadRow:
		if len(d.versions) > 0 {
			o.heads = append(o.heads, row)
		}
	}
}

// receiver returns the key to which something is owed.
func (d *disk) receiver(m machine.Message) ident.ObjectKey {
	switch m := m.(type) {
	case *machine.Invoke:
		return ident.ObjectKeyOf(m.Target, m.ID)
	case *machine.Returned:
		return m.To.Object
	case *machine.Signal:
		return d.homes[d.births[m.ID]]
	case *machine.Attach:
		return d.homes[d.births[m.ID]]
	case *machine.Operate:
		return d.homes[d.births[m.ID]]
	default:
		return ident.ObjectKey{}
	}
}

// handOver judges an outbox row that was taken for good: what one key owes another
// is taken in the order in which it was written.
func (d *disk) handOver(t *taken) {
	delete(d.taken, t.key)
	if t.pair.from == (ident.ObjectKey{}) || t.pair.to == (ident.ObjectKey{}) {
		return
	}
	if last := d.handed[t.pair]; last.Seq > t.ref.Seq || last.Seq == t.ref.Seq && last.N > t.ref.N {
		d.loop.fail(InvariantHandOver, "%v takes %v of %v, and has taken %v before", t.pair.to, t.ref, t.pair.from, last)
	}
	d.handed[t.pair] = t.ref
}

// audit judges whether the rows fit each other, as a process that ended here would
// leave them.
func (d *disk) audit() {
	err := d.Memory.Read(func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err == nil && !report.Good() {
			f := report.Findings[0]
			d.loop.fail(invariantOf(f.Rule), "%v", f)
		}
		return err
	})
	if err != nil {
		d.loop.fail(InvariantOwner, "the audit: %v", err)
	}
}

// invariantOf returns the invariant to which a rule of the audit belongs.
func invariantOf(r audit.Rule) Invariant {
	switch r {
	case audit.RuleJournal:
		return InvariantJournal
	case audit.RuleReason, audit.RuleTimer:
		return InvariantStranded
	case audit.RuleHandover:
		return InvariantHandOver
	case audit.RuleHolder, audit.RuleQueue:
		return InvariantOrder
	default:
		return InvariantOwner
	}
}

// judge compares what a commit has made of a group with what the outputs in it
// say.
func (d *disk) judge(group []*persistence.Batch) {
	if len(group) > len(d.outputs) {
		d.loop.fail(InvariantPrefix, "a group of %d outputs, of %d that were encoded", len(group), len(d.outputs))
		return
	}
	done := d.outputs[:len(group)]
	for i, o := range done {
		if o.batch != group[i] {
			d.loop.fail(InvariantPrefix, "output %v is committed when it is the turn of output %v", group[i].Seq, o.seq)
			return
		}
		d.judgeVersion(o)
		if err := d.reference.Commit([]*persistence.Batch{o.alone}, persistence.Marks{}); err != nil {
			d.loop.fail(InvariantPrefix, "output %v cannot be committed alone: %v", o.seq, err)
			return
		}
		d.compareAlone(o)
		d.keepValues(o)
	}
	for _, o := range done {
		for _, c := range o.changes {
			d.settle(c.key)
		}
		for i := range o.taken {
			d.handOver(&o.taken[i])
		}
		d.compare(o)
	}
	d.outputs = d.outputs[:copy(d.outputs, d.outputs[len(group):])]
}

// keepValues notes the values that the state has after an output.
func (d *disk) keepValues(o *output) {
	for _, c := range o.changes {
		if c.key.Table != machine.TableHead && c.key.Table != machine.TableState {
			continue
		}
		switch row, _ := getFrom(d.reference, c.key); row := row.(type) {
		case *machine.HeadRow:
			for _, v := range row.Inline {
				value := stateValue{row.Object.ID(), v.Name, brief(v.Name, unquote(v.Value))}
				if !d.values[value] {
					d.adopts(row.Object, v)
				}
				d.values[value] = true
			}
		case *machine.StateRow:
			d.values[stateValue{row.Object, row.Name, brief(row.Name, unquote(row.Value))}] = true
		}
	}
}

func (d *disk) settle(k machine.Key) {
	if n := d.written[k] - 1; n > 0 {
		d.written[k] = n
	} else {
		delete(d.written, k)
	}
}

// compareAlone judges what an output has made of its rows when it was committed alone:
// its last write of a row counts.
func (d *disk) compareAlone(o *output) {
	seen := make(map[machine.Key]bool, len(o.changes))
	for _, c := range slices.Backward(o.changes) {
		if seen[c.key] {
			continue
		}
		seen[c.key] = true
		switch row, err := getFrom(d.reference, c.key); {
		case err != nil: // compare says so
		case row != nil && c.gone:
			d.loop.fail(InvariantPrefix, "output %v deletes %s and, committed alone, leaves %.300s", o.seq, d.rowName(c.key), fmt.Sprintf("%+v", row))
		case row == nil && !c.gone:
			d.loop.fail(InvariantPrefix, "output %v puts %s and, committed alone, leaves none", o.seq, d.rowName(c.key))
		}
	}
}

// compare compares the rows that an output has written.
func (d *disk) compare(o *output) {
	for _, c := range o.changes {
		k := c.key
		have, err := d.get(k)
		want, wantErr := getFrom(d.reference, k)
		switch {
		case err != nil || wantErr != nil:
			d.loop.fail(InvariantPrefix, "%s cannot be read: %v, %v", d.rowName(k), err, wantErr)
		case !reflect.DeepEqual(have, want):
			d.loop.fail(InvariantPrefix, "%s is %.300s after a commit with output %v, and has to be %.300s", d.rowName(k), fmt.Sprintf("%+v", have), o.seq, fmt.Sprintf("%+v", want))
		}
	}
}

// rowName names a row, and the key whose it is.
func (d *disk) rowName(k machine.Key) string {
	name := "the " + audit.RowName(k)
	for _, home := range d.homes {
		if k.Object == home.ID() {
			return fmt.Sprintf("%s of %v", name, home)
		}
	}
	for _, birth := range []uint64{k.A, k.B} {
		if home, known := d.homes[ident.Seq(birth)]; known {
			return fmt.Sprintf("%s of %v", name, home)
		}
	}
	return name
}
