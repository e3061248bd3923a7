package sim

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// disk is the store of one process, with a judge between the two. What it keeps
// survives the process; what it had not synced does not.
//
// The judge has a store of its own, the reference, in which each output is
// committed alone, in the order in which it was encoded. Whatever the committer
// and the store do to make a group out of many outputs, after a commit both must
// hold the same rows.
type disk struct {
	*persistence.Memory
	loop    *loop
	process *process
	faults  diskFaults

	reference *persistence.Memory
	// outputs are encoded and not durable, in that order.
	outputs []*output
	// written counts the outputs that are going to change a row.
	written map[machine.Key]int
	// taken are the outbox rows that an output which is not durable removes.
	taken map[machine.Key]ident.Seq
	// handed is the last outbox row that was durably taken, of each pair of keys.
	handed map[pair]machine.OutboxRef
	// homes are the keys of invocations by birth, births those births by id.
	homes  map[ident.Seq]ident.ObjectKey
	births map[ident.InvocationID]ident.Seq
	last   ident.Seq
	stats  *Stats
	// values are those that the state of a key had after some durable output.
	values map[stateValue]bool
	// scarce is above 0 while the disk is short of space.
	scarce int
	// failed says that the disk has ended its process, or will.
	failed bool
}

// diskFaults say what the disk does to its process.
type diskFaults struct {
	// crashIn counts commits until the process ends at one, 0 for never; after
	// says that the group is on disk by then.
	crashIn int
	after   bool
	// failIn counts commits until one fails.
	failIn int
	// slow is the longest that a sync takes.
	slow time.Duration
	// ended is told when the process has to end.
	ended func()
}

// output is what one event has written.
type output struct {
	seq   ident.Seq
	batch *persistence.Batch
	alone *persistence.Batch
	keys  []machine.Key
	taken []taken
}

// stateValue is a value of the state of a key.
type stateValue struct {
	object      ident.ObjectKey
	name, value string
}

// taken is an outbox row that an output takes. The pair is zero when it is not known.
type taken struct {
	key  machine.Key
	pair pair
	ref  machine.OutboxRef
}

// pair is a sender and a receiver.
type pair struct{ from, to ident.ObjectKey }

var errDisk = errors.New("the disk of the simulation has failed")

// newDisk returns the disk of a first process; next that of the one which
// follows.
func newDisk(l *loop, p *process, stats *Stats) *disk {
	return &disk{
		Memory: persistence.NewMemory().(*persistence.Memory), reference: persistence.NewMemory().(*persistence.Memory),
		loop: l, process: p, stats: stats,
		written: make(map[machine.Key]int), taken: make(map[machine.Key]ident.Seq), handed: make(map[pair]machine.OutboxRef),
		homes: make(map[ident.Seq]ident.ObjectKey), births: make(map[ident.InvocationID]ident.Seq),
		values: make(map[stateValue]bool),
	}
}

// next ends the disk as the end of its process does, and returns what the next one
// finds.
func (d *disk) next(p *process) *disk {
	return &disk{
		Memory: d.Memory.Crash(), reference: d.reference.Crash(), loop: d.loop, process: p, stats: d.stats,
		written: make(map[machine.Key]int), taken: make(map[machine.Key]ident.Seq), handed: d.handed, homes: d.homes, births: d.births,
		values: d.values,
	}
}

// Encode implements persistence.Store.
func (d *disk) Encode(seq ident.Seq, writes []machine.Write) (*persistence.Batch, error) {
	batch, err := d.Memory.Encode(seq, writes)
	if err != nil || d.process.dead {
		return batch, err
	}
	alone, err := d.reference.Encode(seq, writes)
	if err != nil {
		return nil, err
	}
	if seq <= d.last {
		d.loop.fail(InvariantPrefix, "output %v is encoded after output %v", seq, d.last)
	}
	d.last = seq
	o := &output{seq: seq, batch: batch, alone: alone, keys: make([]machine.Key, 0, len(writes))}
	for i := range writes {
		w := &writes[i]
		k := w.Delete
		if w.Put != nil {
			k = w.Put.Key()
			d.learn(w.Put)
		}
		if w.ForeignOutbox {
			d.take(o, k)
		}
		o.keys = append(o.keys, k)
		d.written[k]++
	}
	d.judgeForeign(o, writes)
	d.outputs = append(d.outputs, o)
	if d.loop.trace != nil {
		var rows strings.Builder
		for i := range writes {
			if w := &writes[i]; w.Put != nil {
				fmt.Fprintf(&rows, " +%T", w.Put)
			} else {
				fmt.Fprintf(&rows, " -%c", w.Delete.Table)
			}
		}
		d.loop.note("output %v:%s", seq, strings.ReplaceAll(rows.String(), "*machine.", ""))
	}
	return batch, nil
}

// take judges an output that takes an outbox row: the row is durable, and nobody
// else has taken it.
func (d *disk) take(o *output, k machine.Key) {
	row, err := d.get(k)
	switch by, taken := d.taken[k]; {
	case err != nil:
		d.loop.fail(InvariantHandOver, "outbox row %v cannot be read: %v", k, err)
	case taken:
		d.loop.fail(InvariantHandOver, "output %v takes outbox row %v, which output %v has taken", o.seq, k, by)
	case row == nil && d.written[k] > 0:
		d.loop.fail(InvariantGate, "output %v takes outbox row %v, which is not durable", o.seq, k)
	case row == nil:
		d.loop.fail(InvariantHandOver, "output %v takes outbox row %v, which is gone", o.seq, k)
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

// learn notes which key an invocation has.
func (d *disk) learn(row machine.Row) {
	if row, ok := row.(*machine.IDRow); ok {
		d.homes[row.Birth], d.births[row.ID] = row.Object, row.Birth
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

// Commit implements persistence.Store.
func (d *disk) Commit(group []*persistence.Batch, marks persistence.Marks) error {
	d.stats.Commits++
	if d.loop.trace != nil {
		seqs := make([]ident.Seq, len(group))
		for i := range group {
			seqs[i] = group[i].Seq
		}
		d.loop.note("commit of %v", seqs)
	}
	if d.faults.slow > 0 && d.loop.chance(4) {
		d.process.sleep(d.loop.between(0, d.faults.slow))
	} else {
		d.process.Yield()
	}
	crash, fail := countDown(&d.faults.crashIn), countDown(&d.faults.failIn)
	d.failed = d.failed || crash || fail
	if crash && !d.faults.after || fail {
		d.faults.ended()
		if crash {
			d.process.Signal().Wait() // for the end
		}
		return errDisk
	}
	if err := d.Memory.Commit(group, marks); err != nil {
		return err
	}
	d.judge(group)
	d.audit()
	if crash {
		d.faults.ended()
		d.process.Signal().Wait()
	}
	d.process.Yield()
	return nil
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

func countDown(n *int) (zero bool) {
	if *n > 0 {
		*n--
		return *n == 0
	}
	return false
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
		if err := d.reference.Commit([]*persistence.Batch{o.alone}, persistence.Marks{}); err != nil {
			d.loop.fail(InvariantPrefix, "output %v cannot be committed alone: %v", o.seq, err)
			return
		}
		d.keepValues(o)
	}
	for _, o := range done {
		for _, k := range o.keys {
			d.settle(k)
		}
		for i := range o.taken {
			d.handOver(&o.taken[i])
		}
		d.compare(o)
	}
	d.outputs = d.outputs[:copy(d.outputs, d.outputs[len(group):])]
}

// keepValues notes the small values that the state has after an output.
func (d *disk) keepValues(o *output) {
	for _, k := range o.keys {
		if k.Table != machine.TableHead {
			continue
		}
		if row, _ := getFrom(d.reference, k); row != nil {
			head := row.(*machine.HeadRow)
			for _, v := range head.Inline {
				d.values[stateValue{head.Object, v.Name, unquote(v.Value)}] = true
			}
		}
	}
}

// Health implements persistence.Store.
func (d *disk) Health() persistence.Health {
	if d.scarce > 0 {
		return persistence.Health{Pressure: persistence.PressureSoft, Reason: "the simulation wants it so"}
	}
	return persistence.Health{}
}

func (d *disk) settle(k machine.Key) {
	if n := d.written[k] - 1; n > 0 {
		d.written[k] = n
	} else {
		delete(d.written, k)
	}
}

// compare compares the rows that an output has written.
func (d *disk) compare(o *output) {
	for _, k := range o.keys {
		have, err := d.get(k)
		want, wantErr := getFrom(d.reference, k)
		switch {
		case err != nil || wantErr != nil:
			d.loop.fail(InvariantPrefix, "row %v cannot be read: %v, %v", k, err, wantErr)
		case !reflect.DeepEqual(have, want):
			d.loop.fail(InvariantPrefix, "row %v is %+v after a commit with output %v, and has to be %+v", k, have, o.seq, want)
		}
	}
}

func (d *disk) get(k machine.Key) (machine.Row, error) { return getFrom(d.Memory, k) }

func getFrom(m *persistence.Memory, k machine.Key) (row machine.Row, err error) {
	err = m.Read(func(r persistence.Reader) error {
		row, err = r.Get(k)
		return err
	})
	return row, err
}

// Read implements persistence.Store. Whoever reads may find that the world has moved
// on when it is done; but what an actor reads is its own, and it goes on at once.
func (d *disk) Read(fn func(persistence.Reader) error) error {
	if d.loop.current.name != actorTask {
		err := d.Memory.Read(fn)
		if d.loop.chance(2) {
			d.process.Yield()
		}
		return err
	}
	return d.Memory.Read(func(r persistence.Reader) error {
		return fn(&actorReader{Reader: r, disk: d})
	})
}

// actorTask is the name of the tasks on which actors read rows of their keys.
const actorTask = "actor"

// actorReader is the Reader of an actor. What an actor reads it takes for the whole
// truth, so no output of its key may be on its way to that row.
type actorReader struct {
	persistence.Reader
	disk *disk
}

// Get implements persistence.Reader.
func (r *actorReader) Get(k machine.Key) (machine.Row, error) {
	if r.disk.written[k] > 0 {
		r.disk.loop.fail(InvariantPrefix, "an actor reads row %v while an output that writes it is not durable", k)
	}
	return r.Reader.Get(k)
}
