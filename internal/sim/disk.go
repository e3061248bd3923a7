package sim

import (
	"errors"
	"fmt"
	"strings"
	"time"

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
// hold the same rows. What one output alone makes of a row needs no second store: its
// last write of the row counts.
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
	// last is the last output of a key.
	last  map[ident.ObjectKey]ident.Seq
	stats *Stats
	// values are those that the state of a key had after some durable output.
	values map[stateValue]bool
	// versions are those of the state that patches ask for, by the values they set.
	versions map[stateValue]string
	// scarce is above 0 while the disk is short of space.
	scarce int
	// removes is told which invocations an output removes, adopts which values the
	// state of a key has for the first time.
	removes func(ident.InvocationID, ident.Seq)
	adopts  func(ident.ObjectKey, machine.StateValue)
	// failed says that the disk has ended its process, or will.
	failed bool
}

// diskFaults say what the disk does to its process.
type diskFaults struct {
	// crashIn counts commits until the process ends at one, 0 for never; after
	// says that the group is on disk by then.
	crashIn int
	after   bool
	// failIn counts commits until one fails, closeIn until the process is asked to end
	// during one.
	failIn, closeIn int
	// slow is the longest that a sync takes.
	slow time.Duration
	// slowRead is the longest that what was read is on its way.
	slowRead time.Duration
	// ended is told when the process has to end.
	ended func()
}

// output is what one event has written.
type output struct {
	seq   ident.Seq
	batch *persistence.Batch
	alone *persistence.Batch
	// changes has each row that it puts or deletes, in its order.
	changes []change
	heads   []*machine.HeadRow
	taken   []taken
}

// change is one write of a row.
type change struct {
	key machine.Key
	// gone says that it deletes the row.
	gone bool
}

// stateValue is a value of the state of a key.
type stateValue struct {
	object      ident.ObjectID
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
		written: make(map[machine.Key]int), last: make(map[ident.ObjectKey]ident.Seq), taken: make(map[machine.Key]ident.Seq), handed: make(map[pair]machine.OutboxRef),
		homes: make(map[ident.Seq]ident.ObjectKey), births: make(map[ident.InvocationID]ident.Seq),
		values: make(map[stateValue]bool), versions: make(map[stateValue]string),
	}
}

// next ends the disk as the end of its process does, and returns what the next one
// finds.
func (d *disk) next(p *process) *disk {
	return &disk{
		Memory: d.Memory.Crash(), reference: d.reference.Crash(), loop: d.loop, process: p, stats: d.stats,
		written: make(map[machine.Key]int), last: make(map[ident.ObjectKey]ident.Seq), taken: make(map[machine.Key]ident.Seq), handed: d.handed, homes: d.homes, births: d.births,
		values: d.values, versions: d.versions,
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
	owner := ownerOf(writes)
	if last := d.last[owner]; seq <= last && owner != (ident.ObjectKey{}) {
		d.loop.fail(InvariantPrefix, "output %v of %v is encoded after output %v", seq, owner, last)
	}
	d.last[owner] = seq
	o := &output{seq: seq, batch: batch, alone: alone, changes: make([]change, 0, len(writes))}
	for i := range writes {
		w := &writes[i]
		k := w.Delete
		if w.Put != nil {
			k = w.Put.Key()
			d.learn(o, w.Put)
		} else if k.Table == machine.TableID {
			d.removes(k.ID, d.births[k.ID])
		}
		if w.ForeignOutbox {
			d.take(o, k)
		}
		o.changes = append(o.changes, change{k, w.Put == nil})
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

// ownerOf returns the key whose output has these writes, the zero key when they do not
// say.
func ownerOf(writes []machine.Write) ident.ObjectKey {
	for i := range writes {
		switch row := writes[i].Put.(type) {
		case *machine.HeadRow:
			return row.Object
		case *machine.InvocationRow:
			return ident.ObjectKeyOf(row.Target, row.ID)
		case *machine.ChoreRow:
			return row.Object
		}
	}
	return ident.ObjectKey{}
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
	if countDown(&d.faults.closeIn) {
		d.faults.ended()
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

func countDown(n *int) (zero bool) {
	if *n > 0 {
		*n--
		return *n == 0
	}
	return false
}

// Health implements persistence.Store.
func (d *disk) Health() persistence.Health {
	if d.scarce > 0 {
		return persistence.Health{Pressure: persistence.PressureSoft, Reason: "the simulation wants it so"}
	}
	return persistence.Health{}
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
// on when it is done.
func (d *disk) Read(fn func(persistence.Reader) error) (err error) {
	if d.loop.current.name == actorTask {
		err = d.Memory.Read(func(r persistence.Reader) error {
			return fn(&actorReader{Reader: r, disk: d})
		})
	} else {
		err = d.Memory.Read(fn)
	}
	switch {
	case d.faults.slowRead > 0 && d.loop.chance(4):
		d.process.sleep(d.loop.between(0, d.faults.slowRead))
	case d.loop.chance(2):
		d.process.Yield()
	}
	return err
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
		r.disk.loop.fail(InvariantPrefix, "an actor reads %s while an output that writes it is not durable", r.disk.rowName(k))
	}
	return r.Reader.Get(k)
}
