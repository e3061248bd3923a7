package machine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// world is one key with a store: outputs wait in a line until they are
// committed, reads see what is committed, and a crash forgets the rest.
type world struct {
	t       testing.TB
	object  *Object
	key     ident.ObjectKey
	part    ident.Partition
	disk    map[Key]Row
	line    []Output
	durable ident.Seq
	counter uint64
	boot    uint32
	now     int64
	// unread is what the shell has counted; nil when nobody has.
	unread *uint32
	// reported are the statuses that the changes of committed outputs add up to.
	reported map[ident.Seq]Status
}

func newWorld(t testing.TB, key ident.ObjectKey) *world {
	w := &world{t: t, key: key, part: ident.KeyPartitionKey(key.Key).Partition(), disk: map[Key]Row{}, boot: 1, now: 1000}
	w.activate()
	return w
}

func (w *world) activate() { w.object = New(w.part, w.key) }

// crash loses everything that is not committed.
func (w *world) crash() {
	w.line = nil
	w.boot++
	w.counter = 0
	w.activate()
}

// apply applies an event, answering needs from the disk, and puts the output in
// line.
func (w *world) apply(ev Event) *Output {
	w.counter++
	at := Stamp{Seq: ident.NewSeq(w.boot, w.counter), Now: w.now, Unread: w.unread}
	w.object.Settle(w.durable)
	var out Output
	for range 1000 {
		out.Reset(at.Seq)
		needs := w.object.Apply(at, ev, &out)
		if needs == nil {
			keep(&out)
			w.line = append(w.line, out)
			return &out
		}
		if len(out.Writes)+len(out.Now)+len(out.Gated) > 0 {
			w.t.Fatalf("%T: needs were returned after something was put out: %+v", ev, out)
		}
		for i, n := range needs {
			if slices.Contains(needs[:i], n) {
				w.t.Fatalf("%T: the row %+v is asked for twice", ev, n)
			}
			if err := w.object.Loaded(n, w.read(n)); err != nil {
				w.t.Fatalf("%T: %v", ev, err)
			}
		}
	}
	w.t.Fatalf("%T: needs are never satisfied", ev)
	return nil
}

// keep copies the rows that belong to the object, as encoding them does.
func keep(out *Output) {
	for i := range out.Writes {
		switch r := out.Writes[i].Put.(type) {
		case *InvocationRow:
			c := *r
			out.Writes[i].Put = &c
		case *HeadRow:
			c := *r
			out.Writes[i].Put = &c
		}
	}
	for i := range out.Changes {
		c := *out.Changes[i].Row
		out.Changes[i].Row = &c
	}
}

// read answers a need from the disk.
func (w *world) read(n Need) []Row {
	if n.Point() {
		if r := w.disk[n.From]; r != nil {
			return []Row{r}
		}
		return nil
	}
	var rows []Row
	for k, r := range w.disk {
		if compareKeys(k, n.From) >= 0 && compareKeys(k, n.To) < 0 {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b Row) int { return compareKeys(a.Key(), b.Key()) })
	return rows[:min(len(rows), n.Limit)]
}

// commit makes everything in line durable.
func (w *world) commit() {
	for _, out := range w.line {
		for _, write := range out.Writes {
			if write.Put == nil {
				delete(w.disk, write.Delete)
				continue
			}
			k := write.Put.Key()
			if _, old := w.disk[k]; old && write.Fresh {
				w.t.Fatalf("row %+v was put as fresh and exists", k)
			}
			w.disk[k] = write.Put
		}
		w.tell(&out)
		w.durable = out.Seq
	}
	w.line = nil
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Table, b.Table), slices.Compare(a.Object[:], b.Object[:]),
		slices.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B), cmp.Compare(a.C, b.C), strings.Compare(a.Name, b.Name))
}

// id returns the id that a test calls name: all ids lie on one key.
func (w *world) id(name string) ident.InvocationID {
	var u [16]byte
	copy(u[:], name)
	return ident.NewInvocationID(ident.KeyPartitionKey(w.key.Key), u)
}

func nameOf(id ident.InvocationID) string { return strings.TrimRight(string(id[8:]), "\x00") }

// inv returns the record of name, in memory or on disk.
func (w *world) inv(name string) *InvocationRow {
	id := w.id(name)
	for _, inv := range w.object.invocations {
		if inv.row.ID == id && w.object.births[id] == inv.row.Birth {
			return &inv.row
		}
	}
	if r, ok := w.disk[(&IDRow{ID: id}).Key()].(*IDRow); ok {
		if rec, ok := w.disk[Key{Partition: w.part, Table: TableInvocation, A: uint64(r.Birth)}].(*InvocationRow); ok {
			return rec
		}
	}
	w.t.Fatalf("no invocation %s", name)
	return nil
}

func (w *world) describe(r Row) string {
	switch r := r.(type) {
	case *HeadRow:
		return describeHead(r)
	case *PromiseRow:
		return fmt.Sprintf("promise %s is %s, asked %d", r.Name, result(r.Result), r.Asked)
	case *ListenerRow:
		return fmt.Sprintf("listener %d of %s: %s/%d", r.N, r.Name, nameOf(r.ID), r.Completion)
	case *StateRow:
		return fmt.Sprintf("state %s (%d bytes) in %v", r.Name, len(r.Value), r.Generation)
	case *InboxRow:
		return describePlace(r)
	case *PatchRow:
		return fmt.Sprintf("patch %v with %d values", r.Seq, len(r.Values))
	case *IDRow:
		return fmt.Sprintf("id %s", nameOf(r.ID))
	case *InvocationRow:
		s := fmt.Sprintf("invocation %s %s journal=%d", nameOf(r.ID), r.Status, r.JournalLength)
		if len(r.Tail) > 0 {
			s += " tail=" + types(r.Tail)
		}
		if r.Await != nil {
			s += fmt.Sprintf(" await=%s taken=%d", r.Await, r.Taken)
		}
		if r.Status == StatusCompleted {
			s += " result=" + result(r.Result)
		}
		if !r.RestartedFrom.IsZero() {
			s += " restarted from " + nameOf(r.RestartedFrom)
		}
		return s
	case *JournalRow:
		return fmt.Sprintf("journal %d: %s", r.First, types(r.Entries))
	case *SignalRow:
		return fmt.Sprintf("signal %d at %d", r.Index, r.Entry)
	case *PendingRow:
		if r.Due != 0 {
			return fmt.Sprintf("pending %d due %d", r.Completion, r.Due)
		}
		if r.Promise != 0 {
			return fmt.Sprintf("pending %d from listener %d of promise %d", r.Completion, r.Listener, r.Promise)
		}
		return fmt.Sprintf("pending %d from %s", r.Completion, nameOf(r.Callee))
	case *WaiterRow:
		return fmt.Sprintf("waiter %s/%d", nameOf(r.To.ID), r.To.Completion)
	case *TimerRow:
		return fmt.Sprintf("timer %d slot %d", r.Due, r.Slot)
	case *OutboxRow:
		return fmt.Sprintf("outbox %d: %s", r.Ref.N, message(r.Message))
	case *ActiveRow:
		return "active " + nameOf(r.ID)
	case *StatusRow:
		return "listed as " + r.Class.String()
	case *ExpiryRow:
		return fmt.Sprintf("expiry hour %d what %d", r.Hour, r.What)
	case *AliasRow:
		return "alias " + nameOf(r.Alias)
	case *MarkerRow:
		return "marker " + nameOf(r.ID)
	case *ChoreRow:
		return describeChore(r)
	default:
		return fmt.Sprintf("%T", r)
	}
}

// expireEvent says that something of id expires: what a row lists, or a usual
// invocation.
func (w *world) expireEvent(id ident.InvocationID, what Expiring) *Expire {
	for _, row := range w.disk {
		if r, ok := row.(*InvocationRow); ok && r.ID == id && what == ExpireInvocation && r.Usual() {
			return &Expire{Expiry: r.Expiry(w.key)}
		}
	}
	return &Expire{Expiry: *find[*ExpiryRow](w, func(r *ExpiryRow) bool { return r.ID == id && r.What == what })}
}

func types(entries []journal.Entry) string {
	var names []string
	for i := range entries {
		names = append(names, entries[i].Type.String())
	}
	return strings.Join(names, ",")
}

func describeHead(r *HeadRow) string {
	var inline []string
	for _, v := range r.Inline {
		inline = append(inline, fmt.Sprintf("%s=%s", v.Name, v.Value))
	}
	s := fmt.Sprintf("head holder=%s inbox=%d from %v state=%v rows=%d", nameOf(r.HolderID), r.InboxLength, r.InboxFirst, inline, r.StateRows)
	if v := r.Workflow; v != (WorkflowHead{}) {
		s += fmt.Sprintf(" run=%t unfinished=%d promises=%d", v.Run != 0, v.Unfinished, v.Promises)
		if v.Expiring {
			s += " expiring"
		}
		if v.ExpiresAt != 0 {
			s += fmt.Sprintf(" expires=%d", v.ExpiresAt)
		}
	}
	return s
}

func message(m Message) string {
	switch m := m.(type) {
	case *Invoke:
		return fmt.Sprintf("invoke %s %s", m.Target, nameOf(m.ID))
	case *Returned:
		return fmt.Sprintf("return %s to %s/%d", result(m.Result), nameOf(m.To.ID), m.To.Completion)
	case *Signal:
		return fmt.Sprintf("signal %s %+v %s", nameOf(m.ID), m.Signal, result(m.Result))
	case *Operate:
		return fmt.Sprintf("%s %s", m.Op, nameOf(m.ID))
	case *Attach:
		return fmt.Sprintf("attach to %s", nameOf(m.ID))
	default:
		return fmt.Sprintf("%T", m)
	}
}

func result(r journal.Result) string {
	switch r.Kind {
	case journal.ResultVoid:
		return "void"
	case journal.ResultValue:
		return fmt.Sprintf("%q", r.Value)
	case journal.ResultFailure:
		return fmt.Sprintf("%d %s", r.Failure.Code, r.Failure.Message)
	case journal.ResultInvocationID:
		return "id"
	default:
		return "none"
	}
}

func (w *world) effect(e Effect) string {
	switch e := e.(type) {
	case *StartAttempt:
		var names []string
		for _, entry := range e.Tail {
			names = append(names, entry.Type.String())
		}
		s := fmt.Sprintf("start %s with %d stored and [%s]", nameOf(e.ID), e.Stored, strings.Join(names, " "))
		if e.Alone {
			s += " alone"
		}
		return s
	case *StopAttempt:
		return fmt.Sprintf("stop attempt, reason %d", e.Reason)
	case *Notify:
		return fmt.Sprintf("notify entry %d %s", e.Index, e.Entry.Type)
	case *KeepWaiting:
		return "keep waiting"
	case *PauseAttempt:
		return fmt.Sprintf("pause attempt: %t", e.Wanted)
	case *CancelRuns:
		return "cancel runs"
	case *StateRead:
		return fmt.Sprintf("state %s=%q found=%t keys=%v", e.Name, e.Value, e.Found, e.Keys)
	case *Watch:
		return fmt.Sprintf("watch %s by %d", nameOf(e.ID), e.Token)
	case *Finished:
		return fmt.Sprintf("finished %s %s", nameOf(e.ID), result(e.Result))
	case *Answer:
		return fmt.Sprintf("answer %d: kind %d %s", e.Token, e.Kind, result(e.Result))
	case *Deliver:
		return fmt.Sprintf("deliver %s", message(e.Row.Message))
	case *SetTimer:
		return fmt.Sprintf("set timer %d", e.Timer.Due)
	case *AttemptFailed:
		return fmt.Sprintf("attempt %d of %s failed: %s", e.Attempts, nameOf(e.ID), e.Status)
	case *Suspected:
		return "suspected " + nameOf(e.Active.ID)
	case *Awaited:
		return fmt.Sprintf("awaited %s %s", nameOf(e.ID), e.Status)
	case *Awaiting:
		return "awaiting " + nameOf(e.ID)
	case *Continue:
		return fmt.Sprintf("continue chore %d", e.Chore.Kind)
	default:
		return fmt.Sprintf("%T", e)
	}
}

// print renders an output: writes, then effects.
func (w *world) print(out *Output) string {
	var b strings.Builder
	for _, write := range out.Writes {
		switch {
		case write.Put != nil:
			fmt.Fprintf(&b, "put %s\n", w.describe(write.Put))
		case write.ForeignOutbox:
			fmt.Fprintf(&b, "take outbox\n")
		default:
			fmt.Fprintf(&b, "delete %c\n", write.Delete.Table)
		}
	}
	for _, e := range out.Now {
		fmt.Fprintf(&b, "now: %s\n", w.effect(e))
	}
	for _, e := range out.Gated {
		fmt.Fprintf(&b, "gated: %s\n", w.effect(e))
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

// printEntries lists the notifications of an invocation that are committed.
func (w *world) printEntries(name string) string {
	var b strings.Builder
	for _, e := range w.journal(w.inv(name)) {
		if n, err := journal.DecodeNotification(e.Type, e.Body); err == nil {
			fmt.Fprintf(&b, "%s %d: %s\n", e.Type, n.ID.Completion, result(n.Result))
		}
	}
	return b.String()
}

// journal returns the entries of a record: those of its rows on the disk, then its
// tail.
func (w *world) journal(row *InvocationRow) (entries []journal.Entry) {
	from := Key{Partition: w.part, Table: TableJournal, A: uint64(row.Birth)}
	to := from
	to.A++
	for _, r := range w.read(Need{From: from, To: to, Limit: 1 << 20}) {
		entries = append(entries, r.(*JournalRow).Entries...)
	}
	return append(entries, row.Tail...)
}

// printDisk lists the committed rows.
func (w *world) printDisk() string {
	keys := make([]Key, 0, len(w.disk))
	for k := range w.disk {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s\n", w.describe(w.disk[k]))
	}
	if b.Len() == 0 {
		return "empty\n"
	}
	return b.String()
}
