package storetest

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

const partition ident.Partition = 5

var (
	object   = ident.ObjectKey{Service: "Approval", Key: "alice"}
	id       = ident.NewInvocationID(ident.PartitionKey(partition)<<58|77, [16]byte{1, 2, 3})
	alias    = ident.NewInvocationID(ident.PartitionKey(partition)<<58|77, [16]byte{9, 8, 7})
	workflow = ident.ObjectKey{Service: "Signup", Key: "alice"}
	target   = ident.Target{Service: "Approval", Key: "alice", Handler: "request", Kind: ident.KindExclusive}
	reply    = machine.Address{Object: ident.ObjectKey{Service: "Order", Key: "7"}, ID: id, Birth: 3, Completion: 9}
)

// sampleRows returns a row of every type and every outbox message, with values
// in their fields.
func sampleRows() []machine.Row {
	return append(messageRows(),
		&machine.HeadRow{
			Partition: partition, Object: object, Holder: 8, HolderID: id, InboxLength: 2, InboxFirst: 11, Generation: 4, StateRows: 1,
			Inline: []machine.StateValue{{Name: "a", Value: []byte("1")}, {Name: "b", Value: []byte{}}, {Name: "c"}},
		},
		&machine.StateRow{Partition: partition, Object: object.ID(), Generation: 4, Name: "doc", Value: []byte("text")},
		&machine.InboxRow{Partition: partition, Object: object.ID(), Seq: 11, Birth: 10, ID: id, QueuedAt: 1_700_000_000_000},
		&machine.IDRow{ID: id, Birth: 10, Object: object},
		completed([]byte("result")),
		suspended(),
		&machine.JournalRow{Partition: partition, Birth: 10, First: 3, Entries: entries([]byte("body"))},
		&machine.SignalRow{Partition: partition, Birth: 10, Index: 17, Entry: 4},
		&machine.PendingRow{Partition: partition, Birth: 10, Completion: 2, Due: 99, Callee: id, Called: true},
		&machine.WaiterRow{Partition: partition, Birth: 10, Seq: 12, To: reply, Type: journal.TypeCallCompletion},
		&machine.TimerRow{Partition: partition, Due: 1_700_000_000_001, Birth: 10, Slot: 2, Object: object, ID: id, Epoch: 13},
		&machine.ActiveRow{Partition: partition, Birth: 10, ID: id, Object: object},
		&machine.StatusRow{Partition: partition, Class: machine.ClassSuspendedIssued, Birth: 10},
		&machine.ExpiryRow{Partition: partition, Hour: 470_000, Birth: 10, ID: id, Object: object, What: machine.ExpireJournal},
		&machine.InboxRow{Partition: partition, Object: object.ID(), Seq: 12, QueuedAt: 1_700_000_000_000, Kind: machine.InboxPatch},
		&machine.PatchRow{
			Partition: partition, Seq: 12, Version: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", Retention: machine.Retention{OfWorkflow: true, Workflow: 9},
			Values: []machine.StateValue{{Name: "a", Value: []byte("1")}, {Name: "b", Value: []byte{}}, {Name: "c"}},
		},
		&machine.MarkerRow{ID: id, Birth: 10, Hour: 470_024},
		&machine.AliasRow{Alias: alias, Birth: 10, Object: object},
		&machine.ChoreRow{
			Partition: partition, Seq: 14, N: 1, Object: object, Kind: machine.ChoreAnswer, Birth: 10, ID: id, Generation: 4,
			Result: journal.FailureOf(500, "broken"), Promise: 3,
		},
		&machine.HeadRow{Partition: partition, Object: workflow, Workflow: machine.WorkflowHead{
			Run: 4, Unfinished: 2, Generation: 5, Promises: 3, Expiring: true, ExpiresAt: 1_700_000_000_002, ExpiryBirth: 6, KeepState: true,
		}},
		&machine.PendingRow{Partition: partition, Birth: 10, Completion: 3, Generation: 5, Promise: 3, Listener: 7},
		&machine.PromiseRow{Partition: partition, Object: workflow.ID(), Generation: 5, Name: "open", Number: 3, Asked: 7, CreatedAt: 8},
		promise([]byte("signed")),
		&machine.ListenerRow{Partition: partition, Object: workflow.ID(), Generation: 5, Promise: 3, N: 7, Name: "open", ID: id, Birth: 10, Completion: 3},
	)
}

func messageRows() (rows []machine.Row) {
	for i, m := range []machine.Message{
		invoke([]byte("input")),
		&machine.Signal{ID: id, Signal: journal.NamedSignalID("go"), Result: journal.VoidResult()},
		&machine.Returned{To: reply, Type: journal.TypeCallCompletion, Result: journal.ValueOf([]byte("out"))},
		&machine.Attach{ID: id, Waiter: reply, Peek: true},
		&machine.Operate{ID: id, Op: machine.OpKill},
	} {
		rows = append(rows, outbox(uint32(i), m))
	}
	return rows
}

func outbox(n uint32, m machine.Message) *machine.OutboxRow {
	return &machine.OutboxRow{
		Partition: partition, Ref: machine.OutboxRef{Partition: partition, Seq: 15, N: n}, CauseBirth: 10, CauseEntry: 6, Message: m,
	}
}

func invoke(value []byte) *machine.Invoke {
	return &machine.Invoke{
		ID: id, Target: target, Headers: []journal.Header{{Key: "k", Value: "v"}}, Value: value, StartAt: 5, IdempotencyKey: "once",
		InvokedBy: machine.ByService, Caller: machine.Caller{ID: id, Target: target, ReplyTo: reply},
		RandomSeed: 1 << 63, Retention: machine.Retention{Completion: 1000, Journal: 500}, Alias: alias,
	}
}

func entries(body []byte) []journal.Entry {
	return []journal.Entry{
		{Type: journal.TypeCall, Body: body, At: 20, Sidecar: journal.Sidecar{
			Allocated: journal.Allocated{Signals: 2, SignalHash: 1 << 62, Draws: 3}, Callee: id, CalleeKind: ident.KindShared,
		}},
		{Type: journal.TypeSignal, Body: []byte{}, At: 21},
		{Type: journal.TypeRun, At: 22},
	}
}

func completed(value []byte) *machine.InvocationRow {
	return &machine.InvocationRow{
		Birth: 10, ID: id, Target: target, Status: machine.StatusCompleted, CreatedAt: 1, ModifiedAt: 4, RunningAt: 2,
		InvokedBy: machine.ByIngress, IdempotencyKey: "once", RandomSeed: 42, Retention: machine.Retention{Completion: 7, Journal: 6},
		JournalLength: 6, Commands: 2, JournalRows: 1, Tail: entries([]byte("late")), Result: journal.ValueOf(value), CompletedAt: 4, ExpiresAt: 11,
	}
}

func suspended() *machine.InvocationRow {
	return &machine.InvocationRow{
		Birth: 9, ID: id, Target: target, Status: machine.StatusSuspended, ScheduledFor: 3, InboxSeq: 8, Epoch: 6, Taken: 5,
		InvokedBy: machine.ByService, Caller: machine.Caller{ID: id, Target: target, ReplyTo: reply},
		Signals: 1, Pending: 2, Waiters: 3, PauseRequested: true, IssuedAwakeables: true, Alias: alias,
		Await: &journal.Future{
			Completions: []uint32{1, 2}, Signals: []uint32{17}, Named: []string{"go"},
			Nested: []*journal.Future{{Combinator: journal.AllCompleted}}, Combinator: journal.FirstCompleted,
		},
		Allocated: journal.Allocated{Signals: 1, Draws: 9},
		Retry:     machine.Retry{Attempts: 2, Since: 3, NextAt: 4, Deaths: 1},
		Failures:  []machine.FailureEvent{{At: 1, Code: 570, Message: "mismatch", CommandIndex: -1, CommandType: journal.TypeRun, CommandName: "charge"}},
	}
}

// promise returns a promise that is completed with value.
func promise(value []byte) *machine.PromiseRow {
	return &machine.PromiseRow{
		Partition: partition, Object: workflow.ID(), Generation: 5, Name: "signed", Number: 1, Asked: 2, CreatedAt: 8,
		Result: journal.ValueOf(value), CompletedAt: 9,
	}
}

// active returns a small row numbered n.
func active(n int) *machine.ActiveRow {
	return &machine.ActiveRow{Partition: partition, Birth: ident.Seq(n), ID: id, Object: object}
}

// state returns a state row.
func state(name string, value []byte) *machine.StateRow {
	return &machine.StateRow{Partition: partition, Object: object.ID(), Generation: 4, Name: name, Value: value}
}

// pattern returns n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}
