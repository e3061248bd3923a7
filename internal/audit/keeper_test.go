package audit_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// keeper drives the machines of several keys over one store. Every output is
// committed at once, and the store is audited behind it.
type keeper struct {
	t       testing.TB
	store   *persistence.Memory
	objects map[ident.ObjectKey]*machine.Object
	now     int64
	last    uint64
	ids     uint16
}

func newKeeper(t testing.TB) *keeper {
	k := &keeper{t: t, store: persistence.NewMemory().(*persistence.Memory), objects: map[ident.ObjectKey]*machine.Object{}, now: 1_000_000_000}
	return k
}

// apply gives an event to a key and commits what comes of it.
func (k *keeper) apply(key ident.ObjectKey, p ident.Partition, ev machine.Event) *machine.Output {
	k.t.Helper()
	o := k.objects[key]
	if o == nil {
		o = machine.New(p, key)
		k.objects[key] = o
	}
	k.last++
	at := machine.Stamp{Seq: ident.NewSeq(1, k.last), Now: k.now}
	out := &machine.Output{}
	out.Reset(at.Seq)
	for needs := o.Apply(at, ev, out); needs != nil; needs = o.Apply(at, ev, out) {
		for _, n := range needs {
			if err := o.Loaded(n, k.read(n)); err != nil {
				k.t.Fatal(err)
			}
		}
	}
	k.commit(at.Seq, out.Writes)
	o.Settle(at.Seq)
	for _, f := range check(k.t, k.store).Findings {
		k.t.Fatalf("after a %T of %s: %s", ev, key, f)
	}
	return out
}

func (k *keeper) commit(seq ident.Seq, writes []machine.Write) {
	k.t.Helper()
	batch, err := k.store.Encode(seq, writes)
	if err == nil {
		err = k.store.Commit([]*persistence.Batch{batch}, persistence.Marks{Clock: k.now})
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *keeper) read(n machine.Need) (rows []machine.Row) {
	k.t.Helper()
	err := k.store.Read(func(r persistence.Reader) (err error) {
		if !n.Point() {
			rows, err = r.Scan(n.From, n.To, n.Limit)
			return err
		}
		row, err := r.Get(n.From)
		if row != nil {
			rows = []machine.Row{row}
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return rows
}

// altered reports on the store as it would be after writes of a stranger. It ends
// the store of k, which is only copied from then on.
func (k *keeper) altered(writes ...machine.Write) *audit.Report {
	k.t.Helper()
	other := k.store.Crash()
	batch, err := other.Encode(ident.NewSeq(2, 1), writes)
	if err == nil {
		err = other.Commit([]*persistence.Batch{batch}, persistence.Marks{})
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return check(k.t, other)
}

func check(t testing.TB, s persistence.Store) *audit.Report {
	t.Helper()
	var report *audit.Report
	if err := s.Read(func(r persistence.Reader) (err error) {
		report, err = audit.Check(r)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return report
}

// all reads every row.
func all(t testing.TB, s persistence.Store) (rows []machine.Row) {
	t.Helper()
	if err := s.Read(func(r persistence.Reader) error {
		tables, err := r.(persistence.Overview).Tables()
		if err != nil {
			return err
		}
		for _, from := range tables {
			it := r.Rows(from, machine.Key{}, persistence.Ascending)
			for it.Next() {
				row, err := it.Row()
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			if err := it.Err(); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

func tables() []machine.Table {
	return []machine.Table{
		machine.TableHead, machine.TableState, machine.TableInbox, machine.TableID, machine.TableInvocation, machine.TableJournal,
		machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableTimer, machine.TableOutbox, machine.TableActive,
		machine.TableStatus, machine.TableExpiry, machine.TableMarker, machine.TablePromise, machine.TableListener, machine.TableChore,
		machine.TablePatch, machine.TableAlias,
	}
}

// life is one invocation of a keeper.
type life struct {
	k            *keeper
	id           ident.InvocationID
	target       ident.Target
	key          ident.ObjectKey
	birth, epoch ident.Seq
	next         uint32
}

// newID returns the id of the next invocation of a target.
func (k *keeper) newID(t ident.Target) ident.InvocationID {
	k.ids++
	return ident.RandomID(t, k.ids, [16]byte{byte(k.ids), byte(k.ids >> 8)})
}

const (
	hour = 3_600_000
	day  = 24 * hour
)

// usual is the retention of a plain call.
func usual() machine.Retention { return machine.Retention{Completion: day, Journal: day} }

func object(key string) ident.Target {
	return ident.Target{Service: "Obj", Key: key, Handler: "h", Kind: ident.KindExclusive}
}

// invoke accepts an invocation. change may alter how.
func (k *keeper) invoke(t ident.Target, change func(*machine.Invoke)) *life {
	k.t.Helper()
	ev := &machine.Invoke{ID: k.newID(t), Target: t, Retention: usual()}
	if change != nil {
		change(ev)
	}
	return k.accept(ev)
}

func (k *keeper) accept(ev *machine.Invoke) *life {
	k.t.Helper()
	l := &life{k: k, id: ev.ID, target: ev.Target, key: ident.ObjectKeyOf(ev.Target, ev.ID)}
	l.did(k.apply(l.key, l.id.Partition(), ev))
	return l
}

// did notes the number of an attempt that an output starts.
func (l *life) did(out *machine.Output) *machine.Output {
	for _, e := range slices.Concat(out.Now, out.Gated) {
		if s, ok := e.(*machine.StartAttempt); ok && s.ID == l.id {
			l.epoch = s.Epoch
		}
	}
	for _, row := range l.k.read(machine.Need{From: (&machine.IDRow{ID: l.id}).Key()}) {
		l.birth = row.(*machine.IDRow).Birth
	}
	return out
}

func (l *life) apply(ev machine.Event) *machine.Output {
	l.k.t.Helper()
	return l.did(l.k.apply(l.key, l.id.Partition(), ev))
}

// completion returns a new completion id.
func (l *life) completion() uint32 {
	l.next++
	return l.next
}

// write appends commands, which call callee.
func (l *life) write(callee *machine.Callee, commands ...journal.Command) *machine.Output {
	l.k.t.Helper()
	ev := &machine.Append{Birth: l.birth, Epoch: l.epoch}
	for _, c := range commands {
		p := machine.Proposal{Entry: journal.NewEntry(c, l.k.now, journal.Sidecar{}), Parsed: c}
		if _, calls := c.(*journal.Call); calls {
			p.Callee = callee
		}
		_, ended := c.(*journal.Output)
		ev.Ended = ev.Ended || ended
		ev.Proposals = append(ev.Proposals, p)
	}
	return l.apply(ev)
}

func (l *life) end() { l.write(nil, &journal.Output{Result: journal.ValueOf([]byte("done"))}) }

// call calls a target and returns the completion and the row that carries it.
func (l *life) call(t ident.Target) (uint32, *machine.OutboxRow) {
	l.k.t.Helper()
	callee := &machine.Callee{ID: l.k.newID(t), Target: t, Known: true, Retention: usual()}
	c := &journal.Call{Service: t.Service, Key: t.Key, Handler: t.Handler, InvocationIDCompletion: l.completion(), Completion: l.completion()}
	return c.Completion, owed(l.write(callee, c))
}

// owed returns the last outbox row of an output.
func owed(out *machine.Output) (row *machine.OutboxRow) {
	for _, w := range out.Writes {
		if o, ok := w.Put.(*machine.OutboxRow); ok {
			row = o
		}
	}
	return row
}

// deliver hands an invoke over.
func (k *keeper) deliver(row *machine.OutboxRow) *life {
	k.t.Helper()
	return k.accept(row.Message.Sent(row.Ref).(*machine.Invoke))
}

// park suspends an attempt that waits for completions and one awakeable.
func (l *life) park(awakeables uint32, completions ...uint32) {
	l.k.t.Helper()
	await := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal}, Completions: completions}
	for n := range awakeables {
		await.Signals = append(await.Signals, ident.FirstAwakeable+n)
	}
	row := l.k.read(machine.Need{From: machine.Key{Partition: l.id.Partition(), Table: machine.TableInvocation, A: uint64(l.birth)}})[0].(*machine.InvocationRow)
	l.apply(&machine.Park{Birth: l.birth, Epoch: l.epoch, Await: await, Taken: row.JournalLength, Allocated: journal.Allocated{Signals: awakeables}})
}

func (l *life) sleep(d int64) uint32 {
	c := l.completion()
	l.write(nil, &journal.Sleep{WakeUpAt: uint64(l.k.now + d), Completion: c})
	return c
}

func (l *life) set(name string, size int) {
	l.write(nil, &journal.SetState{Key: name, Value: make([]byte, size)})
}

func (l *life) resolve(index uint32) {
	l.apply(&machine.Signal{ID: l.id, Signal: journal.SignalID(index), Result: journal.VoidResult()})
}

func (l *life) operate(op machine.Operation) { l.apply(&machine.Operate{ID: l.id, Op: op}) }

func (l *life) String() string { return fmt.Sprint(l.target, " ", l.id) }
