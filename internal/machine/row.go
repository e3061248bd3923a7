package machine

import (
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Row is one typed record of the store. The set is closed: the types of this
// file, of record.go and of statusindex.go. A store decides how many bytes a row is; it must keep
// every field, and it finds a row again by its Key.
type Row interface {
	// Key returns the key of the row.
	Key() Key
}

// Key names a row, or with fewer parts set the start of a range. Parts that a
// table does not use are zero. Which parts a table uses, and in which order
// they sort, stands in the comment of the table.
type Key struct {
	Partition ident.Partition
	Table     Table
	Object    ident.ObjectID
	ID        ident.InvocationID
	// A, B and C are numbers; they sort after Object and ID, in this order.
	A, B uint64
	C    uint32
	// Name sorts last.
	Name string
}

// Table is a kind of row. The values are stored.
type Table byte

// Tables, with the parts of the key in sorting order. Birth is the Seq of the
// event that accepted the invocation.
const (
	// TableHead: Name = service, NUL, key. One HeadRow per object that has a
	// holder, a queue or state, and per workflow that has invocations, a run or
	// promises.
	TableHead Table = 'h'
	// TableState: Object, A = generation, Name = state name.
	TableState Table = 's'
	// TableInbox: Object, A = seq.
	TableInbox Table = 'q'
	// TableID: ID. Invocation id to birth and key.
	TableID Table = 'i'
	// TableInvocation: A = birth. In order of creation.
	TableInvocation Table = 'r'
	// TableJournal: A = birth, C = index of the first entry of the row.
	TableJournal Table = 'j'
	// TableSignal: A = birth, C = signal index. Which awakeables are answered.
	TableSignal Table = 'n'
	// TablePending: A = birth, C = completion id. Which completions are owed.
	TablePending Table = 'p'
	// TableWaiter: A = birth, B = seq. Durable waiters for the result.
	TableWaiter Table = 'w'
	// TableTimer: A = due in ms since the epoch, B = birth, C = slot.
	TableTimer Table = 't'
	// TableOutbox: A = seq, C = position within the output.
	TableOutbox Table = 'o'
	// TableActive: A = birth.
	TableActive Table = 'a'
	// TableStatus: A = class, B = birth. Unfinished invocations by status.
	TableStatus Table = 'k'
	// TableExpiry: A = hour since the epoch, B = birth, C = what expires.
	TableExpiry Table = 'e'
	// TableMarker: ID. What is left for 24 h of an invocation that had created
	// an awakeable.
	TableMarker Table = 'm'
	// TablePromise: Object, A = generation, Name = promise name.
	TablePromise Table = 'd'
	// TableListener: Object, A = generation, B = number of the promise, C =
	// number of the listener.
	TableListener Table = 'b'
	// TableChore: A = seq, C = position within the output. Unfinished sweeps
	// and fan-outs.
	TableChore Table = 'x'
	// TablePatch: A = seq. What a place of the inbox changes the state to.
	TablePatch Table = 'u'
	// TableAlias: ID = alias. Alias to birth and key.
	TableAlias Table = 'y'
)

// Write is one change of a store. Exactly one of Put and Delete is meant.
type Write struct {
	// Put is the row to write; nil for a delete.
	Put Row
	// Delete is the key to remove when Put is nil.
	Delete Key
	// Fresh claims that no row under this key was ever written before. A fresh
	// put that is deleted in the same group of commits leaves no trace.
	Fresh bool
	// ForeignOutbox marks the one write that touches another key's rows: the
	// removal of the outbox row that this output has taken.
	ForeignOutbox bool
}

// HeadRow is the head record of an object.
type HeadRow struct {
	Partition ident.Partition
	Object    ident.ObjectKey
	// Holder is the birth of the exclusive invocation that holds the key, 0
	// when the key is free.
	Holder   ident.Seq
	HolderID ident.InvocationID
	// InboxLength counts the rows of the inbox, of both kinds; InboxFirst is the number of
	// its first row, 0 when it is empty, from which a reader seeks.
	InboxLength uint64
	InboxFirst  ident.Seq
	// Generation is the number under which state rows are kept. ClearAll
	// raises it, so that dropping any amount of state is one row.
	Generation ident.Seq
	// StateRows counts state rows of this generation; Inline holds the small
	// values, sorted by name.
	StateRows uint32
	Inline    []StateValue
	Workflow  WorkflowHead
}

// StateValue is one named value.
type StateValue struct {
	Name  string
	Value []byte
}

// StateRow is one state value that is too large to be inline.
type StateRow struct {
	Partition  ident.Partition
	Object     ident.ObjectID
	Generation ident.Seq
	Name       string
	Value      []byte
}

// InboxRow is one place in the queue of a key: an exclusive invocation, the run of
// a workflow that waits for a patch before it, or a patch of the state. Seq is the
// number of the event that queued it, which is later than Birth for a delayed
// invocation. A patch has neither Birth nor ID; its PatchRow has the same Seq.
type InboxRow struct {
	Partition ident.Partition
	Object    ident.ObjectID
	Seq       ident.Seq
	Birth     ident.Seq
	ID        ident.InvocationID
	QueuedAt  int64
	Kind      InboxKind
}

// InboxKind says what a place in the queue is. The values are stored.
type InboxKind uint8

// Kinds of places.
const (
	InboxInvocation InboxKind = iota
	InboxPatch
)

// String returns the word of the introspection.
func (k InboxKind) String() string {
	if k == InboxPatch {
		return "state_patch"
	}
	return "invocation"
}

// PatchRow is a state that a key shall have when its place in the queue is
// reached.
type PatchRow struct {
	Partition ident.Partition
	Seq       ident.Seq
	// Version, unless it is empty, is that of the state which may be replaced;
	// any other state stays.
	Version string
	// Values are the whole new state, sorted by name.
	Values []StateValue
	// Retention says whether the key is that of a workflow. Only its workflow
	// part is used.
	Retention Retention
}

// IDRow finds the birth and the key of an invocation id.
type IDRow struct {
	ID     ident.InvocationID
	Birth  ident.Seq
	Object ident.ObjectKey
}

// JournalRow holds consecutive entries of one journal.
type JournalRow struct {
	Partition ident.Partition
	Birth     ident.Seq
	First     uint32
	Entries   []journal.Entry
}

// SignalRow says that the awakeable with this index is answered, and where.
type SignalRow struct {
	Partition ident.Partition
	Birth     ident.Seq
	Index     uint32
	Entry     uint32
}

// PendingRow says that a completion is owed. It is removed by the output that
// appends the completion, so a completion without its row is a duplicate.
type PendingRow struct {
	Partition  ident.Partition
	Birth      ident.Seq
	Completion uint32
	// Due is set for a sleep: the due time of its timer.
	Due int64
	// Callee is set for a call and an attach.
	Callee ident.InvocationID
	// Called tells a call, which cancel and kill follow, from an attach.
	Called bool
	// Generation, Promise and Listener are set for a promise: they name the
	// ListenerRow.
	Generation        ident.Seq
	Promise, Listener uint32
}

// Address is where a result goes: a completion of an invocation.
type Address struct {
	Object     ident.ObjectKey
	ID         ident.InvocationID
	Birth      ident.Seq
	Completion uint32
}

// WaiterRow is an invocation that waits for the result of another one.
type WaiterRow struct {
	Partition ident.Partition
	Birth     ident.Seq
	Seq       ident.Seq
	To        Address
	// Type is the notification that the waiter gets: CallCompletion or
	// AttachCompletion.
	Type journal.Type
}

// TimerRow wakes an invocation.
type TimerRow struct {
	Partition ident.Partition
	Due       int64
	Birth     ident.Seq
	// Slot is the completion id of a sleep, or SlotWake.
	Slot   uint32
	Object ident.ObjectKey
	ID     ident.InvocationID
	// Epoch is the attempt that set a retry timer; another attempt ignores it.
	Epoch ident.Seq
}

// SlotWake is the timer slot of a delayed start or a retry. Completion ids
// start at 1.
const SlotWake uint32 = 0

// OutboxRow is something one key owes another.
type OutboxRow struct {
	Partition ident.Partition
	Ref       OutboxRef
	// Cause names the journal entry that created the debt.
	CauseBirth ident.Seq
	CauseEntry uint32
	Message    Message
}

// OutboxRef names an outbox row. The zero value names none.
type OutboxRef struct {
	Partition ident.Partition
	Seq       ident.Seq
	N         uint32
}

// ActiveRow names an invocation that start-up must bring back.
type ActiveRow struct {
	Partition ident.Partition
	Birth     ident.Seq
	ID        ident.InvocationID
	Object    ident.ObjectKey
}

// ExpiryRow is removed, with what it names, when its hour has passed.
type ExpiryRow struct {
	Partition ident.Partition
	Hour      int64
	Birth     ident.Seq
	ID        ident.InvocationID
	Object    ident.ObjectKey
	What      Expiring
}

// Expiring is what an ExpiryRow removes. The values are stored.
type Expiring uint8

// What expires.
const (
	ExpireInvocation Expiring = iota + 1
	// ExpireJournal removes the journal of an invocation whose result is kept
	// longer.
	ExpireJournal
	ExpireMarker
	// ExpireWorkflow removes the promises and the state of a workflow that never
	// ran. Birth is that of its last invocation.
	ExpireWorkflow
)

// MarkerRow remembers for 24 h that an id had issued an awakeable, so that a
// repeated callback is still acknowledged.
type MarkerRow struct {
	ID    ident.InvocationID
	Birth ident.Seq
	Hour  int64
}

// ChoreRow is work that a transition left to later outputs of its key, because
// it may be larger than an output can be.
type ChoreRow struct {
	Partition ident.Partition
	Seq       ident.Seq
	N         uint32
	Object    ident.ObjectKey
	Kind      ChoreKind
	// Birth is the invocation whose rows are swept or whose waiters or
	// callees are served.
	Birth ident.Seq
	ID    ident.InvocationID
	// Generation is the generation of state or promises to sweep, or of the
	// promises whose listeners are answered.
	Generation ident.Seq
	// Promise is the number of the promise whose listeners are answered, 0 for
	// all of the generation.
	Promise uint32
	// Result is what the waiters get.
	Result journal.Result
	// Next counts the state rows of the patch under way that are written.
	Next uint32
}

// ChoreKind says what a chore does. The values are stored.
type ChoreKind uint8

// Kinds of chores.
const (
	// ChoreSweepInvocation removes journal, signal and pending rows and chunks
	// of a birth.
	ChoreSweepInvocation ChoreKind = iota + 1
	// ChoreSweepState removes the state rows and chunks of a generation.
	ChoreSweepState
	// ChoreAnswer sends Result to every waiter of Birth; the waiter rows that
	// are left are its cursor.
	ChoreAnswer
	// ChoreKillCallees sends a kill to every pending call of Birth. It removes
	// the pending rows as it goes, and they are its cursor.
	ChoreKillCallees
	// ChoreSweepJournal is ChoreSweepInvocation without the pending rows: there
	// are none, or they are those of ChoreKillCallees.
	ChoreSweepJournal
	// ChoreStopListening removes the pending rows of Birth, which has ended, and
	// the listeners that they name. The pending rows are its cursor.
	ChoreStopListening
	// ChoreAnswerListeners hands the listeners of Promise its result, and code
	// 404 when it has none because the workflow expires. The listener rows that
	// are left are its cursor.
	ChoreAnswerListeners
	// ChoreSweepPromises removes the promise rows of a generation.
	ChoreSweepPromises
	// ChoreServeQueue applies patches at the head of the queue of a key that
	// nobody holds, and then gives the key to the invocation behind them.
	// Generation is the patch whose first Next rows are written.
	ChoreServeQueue
)

// Key returns the key of the row.
func (r *HeadRow) Key() Key {
	return HeadKey(r.Partition, r.Object)
}

// HeadKey returns the key of the HeadRow of an object.
func HeadKey(p ident.Partition, object ident.ObjectKey) Key {
	return Key{Partition: p, Table: TableHead, Name: object.Service + "\x00" + object.Key}
}

// Headed returns the object whose HeadRow has the key k. The name of a service has
// no zero byte.
func Headed(k Key) ident.ObjectKey {
	service, key, _ := strings.Cut(k.Name, "\x00")
	return ident.ObjectKey{Service: service, Key: key}
}

// Key returns the key of the row.
func (r *StateRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableState, Object: r.Object, A: uint64(r.Generation), Name: r.Name}
}

// Key returns the key of the row.
func (r *InboxRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableInbox, Object: r.Object, A: uint64(r.Seq)}
}

// Key returns the key of the row.
func (r *PatchRow) Key() Key {
	return Key{Partition: r.Partition, Table: TablePatch, A: uint64(r.Seq)}
}

// Key returns the key of the row.
func (r *IDRow) Key() Key { return Key{Partition: r.ID.Partition(), Table: TableID, ID: r.ID} }

// Key returns the key of the row.
func (r *JournalRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableJournal, A: uint64(r.Birth), C: r.First}
}

// Key returns the key of the row.
func (r *SignalRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableSignal, A: uint64(r.Birth), C: r.Index}
}

// Key returns the key of the row.
func (r *PendingRow) Key() Key {
	return Key{Partition: r.Partition, Table: TablePending, A: uint64(r.Birth), C: r.Completion}
}

// Key returns the key of the row.
func (r *WaiterRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableWaiter, A: uint64(r.Birth), B: uint64(r.Seq)}
}

// Key returns the key of the row.
func (r *TimerRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableTimer, A: uint64(r.Due), B: uint64(r.Birth), C: r.Slot}
}

// Key returns the key of the row.
func (r *OutboxRow) Key() Key { return r.Ref.Key() }

// Key returns the key of the row that r names.
func (r OutboxRef) Key() Key {
	return Key{Partition: r.Partition, Table: TableOutbox, A: uint64(r.Seq), C: r.N}
}

// Key returns the key of the row.
func (r *ActiveRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableActive, A: uint64(r.Birth)}
}

// Key returns the key of the row.
func (r *ExpiryRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableExpiry, A: uint64(r.Hour), B: uint64(r.Birth), C: uint32(r.What)}
}

// Key returns the key of the row.
func (r *MarkerRow) Key() Key { return Key{Partition: r.ID.Partition(), Table: TableMarker, ID: r.ID} }

// Key returns the key of the row.
func (r *ChoreRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableChore, A: uint64(r.Seq), C: r.N}
}
