package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// editEvent reads a patch: lines of name and value (size:N for N bytes, many:N
// for N values of 600 bytes); version=now is that of the state on disk, any other
// one fits nothing.
func (w *world) editEvent(d *datadriven.TestData, token Token) *EditState {
	ev := &EditState{Token: token, Version: w.str(d, "version"), OfObject: true}
	if ev.Version == "now" {
		ev.Version = StateVersion(w.stateOnDisk())
	}
	if d.HasArg("keep") {
		ev.OfObject = false
		ev.Retention = Retention{OfWorkflow: true, Workflow: w.num(d, "keep")}
	}
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		var n int
		switch {
		case strings.HasPrefix(f[1], "size:"):
			fmt.Sscan(f[1][5:], &n)
			ev.Values = append(ev.Values, StateValue{Name: f[0], Value: []byte(strings.Repeat("x", n))})
		case strings.HasPrefix(f[1], "many:"):
			fmt.Sscan(f[1][5:], &n)
			for i := range n {
				ev.Values = append(ev.Values, StateValue{Name: fmt.Sprintf("%s%06d", f[0], i), Value: []byte(strings.Repeat("x", 600))})
			}
		default:
			ev.Values = append(ev.Values, StateValue{Name: f[0], Value: []byte(f[1])})
		}
	}
	return ev
}

// stateOnDisk returns the committed state.
func (w *world) stateOnDisk() []StateValue {
	head, _ := w.disk[(&HeadRow{Partition: w.part, Object: w.key}).Key()].(*HeadRow)
	if head == nil {
		return nil
	}
	s := newState(w.part, w.key.ID(), head)
	for _, n := range s.needAll() {
		if err := s.loaded(n, w.read(n)); err != nil {
			w.t.Fatal(err)
		}
	}
	return s.all()
}

// printState lists the committed state: names and sizes, and its version.
func (w *world) printState() string {
	values := w.stateOnDisk()
	var b strings.Builder
	for i, v := range values {
		if i < 5 {
			fmt.Fprintf(&b, "%s: %d bytes\n", v.Name, len(v.Value))
		}
	}
	fmt.Fprintf(&b, "%d values, version %s\n", len(values), StateVersion(values)[:6])
	return b.String()
}

// restartEvent reads a restart: the first from+1 entries of the invocation of are
// copied, as far as they are on disk.
func (w *world) restartEvent(d *datadriven.TestData, id ident.InvocationID, token Token) *Restart {
	old := w.inv(w.str(d, "of"))
	ev := &Restart{Of: old.ID, Invoke: Invoke{
		ID: id, Target: old.Target, Token: token, AnswerAccepted: true, InvokedBy: ByRestart, Retention: old.Retention,
	}}
	ev.Entries = w.journal(old)[:w.num(d, "from")+1]
	if err := CheckRestart(ev.Entries, old.Target.Kind); err != nil {
		d.Fatalf(w.t.(*testing.T), "restart: %v", err)
	}
	return ev
}

func describePlace(r *InboxRow) string {
	if r.Kind == InboxPatch {
		return fmt.Sprintf("inbox %v patch", r.Seq)
	}
	return fmt.Sprintf("inbox %v %s", r.Seq, nameOf(r.ID))
}

func describeChore(r *ChoreRow) string {
	if r.Kind == ChoreServeQueue {
		return fmt.Sprintf("chore serves the queue, %d rows of %v are there", r.Next, r.Generation)
	}
	return fmt.Sprintf("chore %d", r.Kind)
}

// summarize counts the state rows of an output and prints the rest.
func (w *world) summarize(out *Output) string {
	rest := *out
	rest.Writes = nil
	var put, deleted int
	for _, write := range out.Writes {
		_, state := write.Put.(*StateRow)
		switch {
		case state:
			put++
		case write.Put == nil && write.Delete.Table == TableState:
			deleted++
		default:
			rest.Writes = append(rest.Writes, write)
		}
	}
	return fmt.Sprintf("%d state rows put, %d deleted\n", put, deleted) + w.print(&rest)
}

// served reports whether something will go on with a queue that has no holder: a
// chore, or the end of a run.
func (p *player) served(head *HeadRow) bool {
	run, _ := p.disk[Key{Partition: p.part, Table: TableInvocation, A: uint64(head.Workflow.Run)}].(*InvocationRow)
	if run != nil && newInvocation(*run).atWork() {
		return true
	}
	return p.hasChore(ChoreServeQueue, func(*ChoreRow) bool { return true })
}

// checkPatches checks that patches and their places in the queue name each other.
func (p *player) checkPatches() {
	for _, row := range p.disk {
		switch r := row.(type) {
		case *PatchRow:
			place, _ := p.disk[(&InboxRow{Partition: p.part, Object: p.key.ID(), Seq: r.Seq}).Key()].(*InboxRow)
			if place == nil || place.Kind != InboxPatch {
				p.t.Errorf("%s has no place in the queue", p.describe(r))
			}
		case *InboxRow:
			if r.Kind == InboxPatch && p.disk[(&PatchRow{Partition: p.part, Seq: r.Seq}).Key()] == nil {
				p.t.Errorf("%s has no row", p.describe(r))
			}
		}
	}
}

// edit patches the state: with no version, that of the state on disk, or one that
// fits nothing.
func (p *player) edit() {
	ev := &EditState{Token: 1, OfObject: true}
	switch p.r.IntN(4) {
	case 0:
		ev.Version = "nothing"
	case 1:
		ev.Version = StateVersion(p.stateOnDisk())
	}
	if p.workflow {
		ev.OfObject = false
		ev.Retention = Retention{OfWorkflow: true, Workflow: []int64{0, 3_600_000}[p.r.IntN(2)]}
		if h := p.object.head.Workflow; h != (WorkflowHead{}) && p.r.IntN(4) == 0 {
			ev.Retention = Retention{} // this build does not bind it
		}
	}
	many, size := p.r.IntN(6), []int{1, 600}[p.r.IntN(2)]
	if p.r.IntN(20) == 0 {
		many, size = 3, 200_000 // three outputs
	}
	for i := range many {
		ev.Values = append(ev.Values, StateValue{Name: fmt.Sprintf("s%03d", i), Value: []byte(strings.Repeat("p", size))})
	}
	p.apply(ev)
}

// TestAHolderNeverSeesItsStateChange drives one key with patches, and compares
// what every exclusive attempt can read with what it started from and has written
// itself.
func TestAHolderNeverSeesItsStateChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	patch := func(value string) {
		w.apply(&EditState{OfObject: true, Values: []StateValue{{Name: "a", Value: []byte(value)}}})
	}
	call := func(name string) {
		w.apply(&Invoke{ID: w.id(name), Target: ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive}, Retention: Retention{Completion: 1}})
	}
	read := func(name string) string {
		row := w.inv(name)
		out := w.apply(&ReadState{Birth: row.Birth, Epoch: row.Epoch, Name: "a"})
		return string(out.Now[0].(*StateRead).Value)
	}
	end := func(name string) {
		row := w.inv(name)
		w.apply(&Append{Birth: row.Birth, Epoch: row.Epoch, Ended: true, Proposals: []Proposal{w.proposal([]string{"output", "o"})}})
		w.commit()
		for range 20 {
			for _, row := range w.read(Need{From: Key{Partition: w.part, Table: TableChore}, To: Key{Partition: w.part, Table: TableChore + 1}, Limit: 9}) {
				w.apply(&DoChore{Chore: *row.(*ChoreRow)})
				w.commit()
			}
		}
	}
	patch("0")
	for i := range 5 {
		call(fmt.Sprint("i", i))
	}
	for i := range 5 {
		name, now := fmt.Sprint("i", i), read(fmt.Sprint("i", i))
		for n := range 3 {
			patch(fmt.Sprint(i, n))
			if got := read(name); got != now {
				t.Fatalf("%s read %q and then %q", name, now, got)
			}
		}
		end(name)
	}
	call("last") // the patches were behind the five
	patch("alone")
	if got := read("last"); got != "4 2" {
		t.Errorf("with nobody behind it, last reads %q", got)
	}
	end("last")
	if got := w.stateOnDisk(); len(got) != 1 || string(got[0].Value) != "alone" {
		t.Errorf("got %s", got)
	}
}

// TestTwoChoresThatServeOneQueueDoNoHarm puts a second chore beside the first: what
// one has begun the other one may end, and a cursor is worth nothing for the patch
// behind.
func TestTwoChoresThatServeOneQueueDoNoHarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	chores := func() []Row {
		return w.read(Need{From: Key{Partition: w.part, Table: TableChore}, To: Key{Partition: w.part, Table: TableChore + 1}, Limit: 100})
	}
	for _, value := range []string{"1", "2", "3"} {
		ev := &EditState{OfObject: true}
		for i := range 600 {
			ev.Values = append(ev.Values, StateValue{Name: fmt.Sprintf("v%03d", i), Value: []byte(strings.Repeat(value, 600))})
		}
		w.apply(ev)
	}
	w.commit()
	twin := *chores()[0].(*ChoreRow)
	twin.N = 99
	w.disk[twin.Key()] = &twin
	for range 50 {
		for _, row := range chores() {
			if w.disk[row.Key()] != nil {
				w.apply(&DoChore{Chore: *w.disk[row.Key()].(*ChoreRow)})
				w.commit()
				w.stateOnDisk() // it fails when rows are missing
			}
		}
	}
	for i, v := range w.stateOnDisk() {
		if string(v.Value[0]) != "3" || v.Name != fmt.Sprintf("v%03d", i) {
			t.Fatalf("value %d is %s=%s", i, v.Name, v.Value[:1])
		}
	}
	if n := len(w.stateOnDisk()); n != 600 || len(w.disk) != 600+1 {
		t.Errorf("%d values and %d rows:\n%.2000s", n, len(w.disk), w.printDisk())
	}
}

// TestAPatchMayBeServedBeforeItIsDurable lets a chore that has nothing left to do
// meet a patch whose row cannot be read yet.
func TestAPatchMayBeServedBeforeItIsDurable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	large := &EditState{OfObject: true}
	for i := range 600 {
		large.Values = append(large.Values, StateValue{Name: fmt.Sprintf("v%03d", i), Value: make([]byte, 600)})
	}
	stray := ChoreRow{Partition: w.part, Seq: 1, Object: w.key, Kind: ChoreServeQueue}
	w.disk[stray.Key()] = &stray
	w.apply(large)
	w.apply(&EditState{OfObject: true, Values: []StateValue{{Name: "a", Value: []byte("1")}}})
	for range 3 {
		chore := stray
		for _, out := range w.line {
			for _, write := range out.Writes {
				if c, ok := write.Put.(*ChoreRow); ok && c.Seq == stray.Seq {
					chore = *c
				}
			}
		}
		w.apply(&DoChore{Chore: chore})
	}
	w.commit()
	if got := w.stateOnDisk(); len(got) != 1 || string(got[0].Value) != "1" {
		t.Errorf("got %d values", len(got))
	}
}
