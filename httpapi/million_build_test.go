package httpapi_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// millionBuilder writes the rows that the machine would have written for keys
// that were used over some days. Of ten keys one waits: half of those for an
// awakeable, three in ten are workflows that wait for a promise, the others are
// queued, backing off, paused or scheduled.
type millionBuilder struct {
	t      *testing.T
	store  persistence.Store
	writes []machine.Write
	group  []*persistence.Batch
	seq    uint64
	now    int64
}

// millionBegin is when the first key was used.
var millionBegin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func buildMillion(t *testing.T, dir string, keys int) {
	t.Helper()
	store, err := persistence.Open(dir, persistence.Options{Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	b := &millionBuilder{t: t, store: store, now: millionBegin.UnixMilli()}
	for n := range keys {
		b.now += 500
		switch {
		case n%10 != 0:
			b.used("Counter", n)
		case n/10%10 < 5:
			b.waiting("Approval", n, machine.StatusSuspended)
		case n/10%10 < 8:
			b.workflow(n)
		default:
			b.other(n)
		}
	}
	b.flush(true)
	if err := store.Tidy(); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func (b *millionBuilder) put(rows ...machine.Row) {
	for _, r := range rows {
		b.writes = append(b.writes, machine.Write{Put: r, Fresh: true})
	}
	b.flush(false)
}

// flush encodes what has come together, and commits when that is much.
func (b *millionBuilder) flush(all bool) {
	b.t.Helper()
	if len(b.writes) > 1000 || all && len(b.writes) > 0 {
		batch, err := b.store.Encode(ident.NewSeq(1, b.seq), b.writes)
		if err != nil {
			b.t.Fatal(err)
		}
		b.group, b.writes = append(b.group, batch), b.writes[:0]
	}
	if len(b.group) < 8 && !all {
		return
	}
	if err := b.store.Commit(b.group, persistence.Marks{Clock: b.now}); err != nil {
		b.t.Fatal(err)
	}
	b.group = b.group[:0]
}

// invocation returns a record and writes the rows that every one has.
func (b *millionBuilder) invocation(target ident.Target, status machine.Status) *machine.InvocationRow {
	b.seq++
	var random [16]byte
	binary.BigEndian.PutUint64(random[:], b.seq*0x9E3779B97F4A7C15)
	id := ident.RandomID(target, uint16(b.seq), random)
	if target.Kind == ident.KindWorkflow {
		id = ident.WorkflowID(target.Service, target.Key)
	}
	row := &machine.InvocationRow{
		Birth: ident.NewSeq(1, b.seq), ID: id, Target: target, Status: status,
		CreatedAt: b.now, ModifiedAt: b.now + 3, RunningAt: b.now + 1, InvokedBy: machine.ByIngress, RandomSeed: b.seq,
		Retention: machine.Retention{Completion: 86_400_000, Journal: 86_400_000}, JournalLength: 2, Commands: 2, JournalRows: 1,
	}
	b.put(&machine.IDRow{ID: id, Birth: row.Birth, Object: ident.ObjectKeyOf(target, id)})
	if status != machine.StatusPending && status != machine.StatusScheduled {
		b.put(b.journal(row))
	}
	return row
}

func (b *millionBuilder) journal(row *machine.InvocationRow) *machine.JournalRow {
	input := journal.NewEntry(&journal.Input{Value: []byte(`{"name":"somebody","amount":12}`)}, b.now, journal.Sidecar{})
	set := journal.NewEntry(&journal.SetState{Key: "count", Value: []byte(`{"n":12345,"why":"because"}`)}, b.now, journal.Sidecar{})
	return &machine.JournalRow{Partition: row.ID.Partition(), Birth: row.Birth, Entries: []journal.Entry{input, set}}
}

// head writes the rows of a key.
func (b *millionBuilder) head(h machine.HeadRow) {
	h.Partition = ident.KeyPartitionKey(h.Object.Key).Partition()
	b.put(&h)
}

func keyed(service, handler string, n int) ident.Target {
	return ident.Target{Service: service, Key: fmt.Sprint(n), Handler: handler, Kind: ident.KindExclusive}
}

// used is a key with state and one call that has ended.
func (b *millionBuilder) used(service string, n int) {
	row := b.invocation(keyed(service, "add", n), machine.StatusCompleted)
	row.Result, row.CompletedAt, row.ExpiresAt = journal.ValueOf([]byte("12345")), b.now+3, b.now+86_400_003
	if n%1000 == 1 {
		row.Result = journal.FailureOf(500, "broken")
	}
	b.put(row)
	b.head(machine.HeadRow{
		Object: ident.ObjectKey{Service: service, Key: row.Target.Key},
		Inline: []machine.StateValue{{Name: "count", Value: []byte(`{"n":12345,"why":"because"}`)}},
	})
}

// waiting is a key whose holder waits.
func (b *millionBuilder) waiting(service string, n int, status machine.Status) *machine.InvocationRow {
	row := b.invocation(keyed(service, "request", n), status)
	row.IssuedAwakeables, row.Allocated = true, journal.Allocated{Signals: 1}
	if status == machine.StatusSuspended {
		row.Await, row.Taken = &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{17, 1}}, 2
	}
	b.put(row, &machine.StatusRow{Partition: row.ID.Partition(), Class: row.Class(), Birth: row.Birth})
	head := machine.HeadRow{Object: ident.ObjectKey{Service: service, Key: row.Target.Key}, Holder: row.Birth, HolderID: row.ID}
	if n/10%10 == 4 {
		queued := b.queued(row.Target)
		head.InboxLength, head.InboxFirst = 1, queued.InboxSeq
	}
	b.head(head)
	return row
}

// queued is an invocation behind the holder of a key.
func (b *millionBuilder) queued(target ident.Target) *machine.InvocationRow {
	row := b.invocation(target, machine.StatusPending)
	row.InboxSeq, row.JournalRows, row.JournalLength, row.Commands = row.Birth, 1, 1, 1
	object := ident.ObjectKey{Service: target.Service, Key: target.Key}
	b.put(row, b.journal(row), &machine.InboxRow{Partition: row.ID.Partition(), Object: object.ID(), Seq: row.Birth, Birth: row.Birth, ID: row.ID, QueuedAt: b.now})
	return row
}

// workflow is a run that waits for a promise, beside one that is completed.
func (b *millionBuilder) workflow(n int) {
	target := ident.Target{Service: "Signup", Key: fmt.Sprint(n), Handler: "run", Kind: ident.KindWorkflow}
	row := b.invocation(target, machine.StatusSuspended)
	row.Await, row.Taken, row.Pending = &journal.Future{Combinator: journal.FirstCompleted, Completions: []uint32{1}, Signals: []uint32{1}}, 2, 1
	p, object := row.ID.Partition(), ident.ObjectKey{Service: "Signup", Key: target.Key}
	b.put(row, &machine.StatusRow{Partition: p, Class: row.Class(), Birth: row.Birth})
	generation := row.Birth
	b.put(
		&machine.PendingRow{Partition: p, Birth: row.Birth, Completion: 1, Generation: generation, Promise: 2, Listener: 1},
		&machine.ListenerRow{Partition: p, Object: object.ID(), Generation: generation, Promise: 2, N: 1, Name: "approved", ID: row.ID, Birth: row.Birth, Completion: 1},
		&machine.PromiseRow{Partition: p, Object: object.ID(), Generation: generation, Name: "approved", Number: 2, Asked: 1, CreatedAt: b.now},
		&machine.PromiseRow{Partition: p, Object: object.ID(), Generation: generation, Name: "mailed", Number: 1, CreatedAt: b.now, Result: journal.ValueOf([]byte(`"yes"`)), CompletedAt: b.now},
	)
	b.head(machine.HeadRow{Object: object, Workflow: machine.WorkflowHead{Run: row.Birth, Unfinished: 1, Generation: generation, Promises: 2}})
}

// other is a key with a holder that is stuck, or with a start in the future.
func (b *millionBuilder) other(n int) {
	far := time.Now().Add(1000 * time.Hour).UnixMilli()
	switch n / 100 % 4 {
	case 0:
		b.waiting("Approval", n, machine.StatusPaused)
	case 1:
		b.waiting("Rare", n, machine.StatusSuspended)
	case 2:
		row := b.invocation(keyed("Counter", "add", n), machine.StatusScheduled)
		row.ScheduledFor = far
		b.put(row, b.journal(row), &machine.StatusRow{Partition: row.ID.Partition(), Class: row.Class(), Birth: row.Birth}, b.timer(row, far))
	default:
		row := b.invocation(keyed("Counter", "add", n), machine.StatusBackingOff)
		row.Retry = machine.Retry{Attempts: 3, Since: b.now, NextAt: far}
		row.Failures = []machine.FailureEvent{{At: b.now, Code: 500, Message: "connection refused", CommandIndex: -1}}
		b.put(row, &machine.StatusRow{Partition: row.ID.Partition(), Class: row.Class(), Birth: row.Birth}, b.timer(row, far))
		b.head(machine.HeadRow{Object: ident.ObjectKey{Service: "Counter", Key: row.Target.Key}, Holder: row.Birth, HolderID: row.ID})
	}
}

func (b *millionBuilder) timer(row *machine.InvocationRow, due int64) *machine.TimerRow {
	return &machine.TimerRow{Partition: row.ID.Partition(), Due: due, Birth: row.Birth, Object: ident.ObjectKey{Service: row.Target.Service, Key: row.Target.Key}, ID: row.ID, Epoch: row.Epoch}
}
