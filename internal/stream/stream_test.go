package stream

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// table is a Shell that answers from its fields.
type table struct {
	running  map[ident.Seq]bool
	key      KeyStanding
	unseen   bool // the key was told as it is
	answered map[uint32]bool
}

func (s *table) Running(_, epoch ident.Seq) bool { return s.running[epoch] }

func (s *table) Key() (KeyStanding, bool) { return s.key, !s.unseen }

func (s *table) Pending(_ *machine.InvocationRow, all []Awakeable) (open []Awakeable) {
	for _, a := range all {
		if !s.answered[a.Index] {
			open = append(open, a)
		}
	}
	return open
}

func id(n byte) ident.InvocationID { return ident.NewInvocationID(1, [16]byte{15: n}) }

// record is an exclusive invocation with epoch 5.
func record(n byte, s machine.Status) *machine.InvocationRow {
	return &machine.InvocationRow{
		Birth: ident.Seq(n), ID: id(n), Status: s, Epoch: 5, ModifiedAt: 1000,
		Target: ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive},
	}
}

func show(events []*Event) string {
	lines := make([]string, len(events))
	for i, e := range events {
		lines[i] = e.Kind.String()
		switch {
		case e.Awakeable.Index != 0:
			lines[i] += fmt.Sprintf(" %d %s", e.Awakeable.Index, e.Awakeable.State)
		case e.Kind == InvocationJournal:
			lines[i] += fmt.Sprint(" ", e.Index)
		case e.Kind == ObjectChanged:
			lines[i] += " " + e.Key.Status
		case e.Promise != nil:
			lines[i] += " " + e.Promise.Name
		default:
			lines[i] += " " + e.Previous + ">" + e.Status()
		}
	}
	return strings.Join(lines, "; ")
}

func command(signals uint32) journal.Entry {
	return journal.Entry{Type: journal.TypeRun, Sidecar: journal.Sidecar{Allocated: journal.Allocated{Signals: signals}}}
}

// with returns a record that waits for signals, after it has issued some.
func with(row *machine.InvocationRow, issued uint32, signals ...uint32) *machine.InvocationRow {
	row.Allocated.Signals = issued
	if len(signals) > 0 {
		row.Await = &journal.Future{Combinator: journal.FirstCompleted, Signals: append([]uint32{1}, signals...)}
	}
	return row
}

func TestOutputsBecomeEvents(t *testing.T) {
	t.Parallel()
	const was, ready, suspended, completed = machine.StatusPending, machine.StatusReady, machine.StatusSuspended, machine.StatusCompleted
	head := machine.Write{Put: &machine.HeadRow{}}
	rows := []struct {
		what   string
		change []machine.Change
		writes []machine.Write
		shell  table
		want   string
	}{
		{"nothing", nil, nil, table{}, ""},
		{"a birth", []machine.Change{{Row: record(1, ready)}}, nil, table{key: KeyStanding{Status: "idle"}}, "invocation.created >ready; object.changed idle"},
		{"a birth in the queue", []machine.Change{{Row: record(1, was)}}, []machine.Write{head}, table{key: KeyStanding{Status: "running", Queued: 1}},
			"invocation.created >pending; object.changed running"},
		{"a change without another status", []machine.Change{{Row: record(1, ready), Was: ready}}, nil, table{}, ""},
		{"an end of what has run", []machine.Change{{Row: record(1, completed), Was: ready}}, nil, table{running: map[ident.Seq]bool{5: true}, unseen: true},
			"invocation.completed running>completed"},
		{"an end of what has not run", []machine.Change{{Row: record(1, completed), Was: ready}}, nil, table{unseen: true}, "invocation.completed ready>completed"},
		{"an end of which nothing is kept", []machine.Change{{Row: record(1, completed), Was: ready, Removed: true}}, nil, table{unseen: true},
			"invocation.completed ready>completed; invocation.removed completed>completed"},
		{"a purge", []machine.Change{{Row: record(1, completed), Was: completed, Removed: true}}, nil, table{}, "invocation.removed completed>completed"},
		{"a life of an id in the place of another", []machine.Change{{Row: record(1, completed), Was: completed, Removed: true}, {Row: record(2, ready)}}, nil, table{unseen: true},
			"invocation.removed completed>completed; invocation.created >ready"},
		{"an end and the next of the queue", []machine.Change{{Row: record(1, completed), Was: ready}, {Row: record(2, ready), Was: was}}, []machine.Write{head},
			table{key: KeyStanding{Status: "running"}}, "invocation.completed ready>completed; invocation.status pending>ready; object.changed running"},
		{"a suspension", []machine.Change{{Row: with(record(1, suspended), 3, 18), Was: ready}}, nil, table{unseen: true, answered: map[uint32]bool{17: true}},
			"invocation.status ready>suspended; awakeable.pending 18 awaited; awakeable.pending 19 created"},
		{"a pause", []machine.Change{{Row: with(record(1, machine.StatusPaused), 1), Was: ready}}, nil, table{unseen: true},
			"invocation.status ready>paused; awakeable.pending 17 created"},
		{"a wait that has become less", []machine.Change{{Row: with(record(1, suspended), 3, 18), Was: suspended}}, nil, table{}, ""},
		{"a command behind an awakeable", []machine.Change{{Row: record(1, ready), Was: ready, Entries: []journal.Entry{command(0), command(1)}}}, nil, table{}, "awakeable.pending 17 created"},
		{"an answer", []machine.Change{{Row: record(1, ready), Was: suspended}}, []machine.Write{{Put: &machine.SignalRow{Birth: 1, Index: 17}}, {Put: &machine.SignalRow{Birth: 1, Index: 2}}},
			table{unseen: true}, "invocation.status suspended>ready; awakeable.completed 17 completed"},
		{"the key is let go", nil, []machine.Write{{Delete: (&machine.HeadRow{}).Key()}}, table{key: KeyStanding{Status: "idle"}}, "object.changed idle"},
		{"another row is removed", nil, []machine.Write{{Delete: (&machine.ActiveRow{}).Key()}}, table{}, ""},
		{"a promise that is asked for", nil, []machine.Write{{Put: &machine.PromiseRow{Name: "p"}}}, table{}, ""},
		{"a promise that is completed", nil, []machine.Write{{Put: &machine.PromiseRow{Name: "p", Result: journal.VoidResult()}}}, table{}, "promise.completed p"},
	}
	for _, row := range rows {
		out := machine.Output{Changes: row.change, Writes: row.writes}
		if got := show(Derive(ident.ObjectKey{Service: "Obj", Key: "k"}, &out, &row.shell)); got != row.want {
			t.Errorf("%s:\ngot  %s\nwant %s", row.what, got, row.want)
		}
	}
}

func TestEntriesStandBetweenTheBirthAndWhatTheyLedTo(t *testing.T) {
	t.Parallel()
	out := machine.Output{Changes: []machine.Change{
		{Row: record(1, machine.StatusCompleted), Was: machine.StatusReady, First: 4, Entries: []journal.Entry{command(0), command(0)}},
		{Row: record(2, machine.StatusReady), Entries: []journal.Entry{command(0)}},
	}}
	shell := &table{unseen: true}
	entries := Entries(&out, shell, func(n ident.InvocationID) bool { return n == id(1) })
	got := show(Merge(Derive(ident.ObjectKey{}, &out, shell), entries))
	if want := "invocation.journal 4; invocation.journal 5; invocation.completed ready>completed; invocation.created >ready"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	out.Changes = out.Changes[1:]
	entries = Entries(&out, shell, func(ident.InvocationID) bool { return true })
	got = show(Merge(Derive(ident.ObjectKey{}, &out, shell), entries))
	if want := "invocation.created >ready; invocation.journal 0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnEventKeepsACopyAndNotTheResult(t *testing.T) {
	t.Parallel()
	row := record(1, machine.StatusCompleted)
	row.Result, row.ExpiresAt = journal.ValueOf(make([]byte, 1<<20)), 5000
	row.Failures = []machine.FailureEvent{{Message: "first"}, {Message: "last"}}
	out := machine.Output{Changes: []machine.Change{{Row: row, Was: machine.StatusReady, Removed: true}}}
	e := Derive(ident.ObjectKey{}, &out, &table{})[0]
	row.Status = machine.StatusReady
	kept := e.Invocation
	if kept.Status != machine.StatusCompleted || kept.Result.Value != nil || kept.Result.Kind != journal.ResultValue || kept.ExpiresAt != 0 {
		t.Errorf("the event keeps %+v", kept)
	}
	if len(kept.Failures) != 1 || kept.Failures[0].Message != "last" || len(row.Failures) != 2 {
		t.Errorf("of the failures it keeps %+v, and the record %+v", kept.Failures, row.Failures)
	}
}

func TestAFilterChooses(t *testing.T) {
	t.Parallel()
	key, other, empty := "k", "other", ""
	service := record(3, machine.StatusReady)
	service.Target = ident.Target{Service: "Greeter", Handler: "greet", Kind: ident.KindService}
	status := &Event{Kind: InvocationStatus, Invocation: record(1, machine.StatusSuspended), Previous: "running"}
	entry := &Event{Kind: InvocationJournal, Invocation: record(1, machine.StatusReady)}
	object := &Event{Kind: ObjectChanged, Object: ident.ObjectKey{Service: "Obj", Key: "k"}, Key: KeyStanding{Status: "idle"}}
	pending := &Event{Kind: AwakeablePending, Invocation: record(1, machine.StatusReady), Running: true}
	ofService := &Event{Kind: InvocationCreated, Invocation: service}
	all := TopicInvocation | TopicObject | TopicAwakeable | TopicPromise
	rows := []struct {
		what   string
		filter Filter
		event  *Event
		want   bool
	}{
		{"no filter", Filter{}, status, true},
		{"no filter, another topic", Filter{}, object, false},
		{"no filter, a journal", Filter{}, entry, false},
		{"the invocation", Filter{Invocation: id(1)}, entry, true},
		{"another invocation", Filter{Invocation: id(2)}, entry, false},
		{"another topic alone", Filter{Topics: TopicAwakeable, Invocation: id(1)}, entry, false},
		{"the key", Filter{Key: &key}, status, true},
		{"another key", Filter{Key: &other}, status, false},
		{"the empty key is no service", Filter{Key: &empty}, ofService, false},
		{"the service", Filter{Service: "Greeter"}, ofService, true},
		{"another service", Filter{Service: "Obj"}, ofService, false},
		{"the service of an object", Filter{Topics: all, Service: "Obj", Key: &key}, object, true},
		{"another service of an object", Filter{Topics: all, Service: "Greeter"}, object, false},
		{"the handler", Filter{Handler: "h"}, status, true},
		{"another handler", Filter{Handler: "g"}, status, false},
		{"the status after", Filter{Statuses: []string{"paused", "suspended"}}, status, true},
		{"the status before", Filter{Statuses: []string{"running"}}, status, true},
		{"another status", Filter{Statuses: []string{"ready"}}, status, false},
		{"no status before", Filter{Statuses: []string{""}}, ofService, false},
		{"the status of a key", Filter{Topics: all, Statuses: []string{"idle"}}, object, true},
		{"the status around an awakeable", Filter{Topics: all, Statuses: []string{"running"}}, pending, true},
	}
	for _, row := range rows {
		if got := row.filter.Matches(row.event); got != row.want {
			t.Errorf("%s: %t", row.what, got)
		}
	}
}

func TestTheRingKeepsTheLatestWithinItsBounds(t *testing.T) {
	t.Parallel()
	r := NewRing(3, 4, 1<<20)
	if !r.Keeps(0) || r.Keeps(1) || r.Last() != (Position{Boot: 3}) {
		t.Errorf("an empty ring keeps %t %t, and its last is %v", r.Keeps(0), r.Keeps(1), r.Last())
	}
	for range 10 {
		r.Add(&Event{Kind: ObjectChanged})
	}
	for n, want := range map[uint64]bool{5: false, 6: true, 10: true, 11: false} {
		if r.Keeps(n) != want {
			t.Errorf("keeps everything behind %d: %t", n, !want)
		}
	}
	window := r.After(6, nil, 3)
	if len(window) != 3 || window[0].At.String() != "3-7" || window[2].At.N != 9 {
		t.Errorf("behind 6 there is %v", window)
	}
	large := journal.Entry{Body: make([]byte, 2<<20)}
	r.Add(&Event{Kind: InvocationJournal, Entry: large})
	if r.Keeps(9) || !r.Keeps(10) || len(r.After(10, nil, 10)) != 1 {
		t.Error("a large event is not the only one")
	}
	r.Add(&Event{Kind: ObjectChanged})
	if r.Keeps(10) || !r.Keeps(11) || r.bytes != overhead {
		t.Errorf("behind a large event %d bytes are kept", r.bytes)
	}
	r.Clear()
	if r.Keeps(12) || !r.Keeps(r.Last().N) || r.bytes != 0 {
		t.Error("a cleared ring lets somebody go on from before")
	}
}

func TestPositionsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, p := range []Position{{}, {Boot: 3, N: 17}, {Boot: 1<<32 - 1, N: 1<<64 - 1}} {
		if got, err := ParsePosition(p.String()); err != nil || got != p {
			t.Errorf("%v is read as %v, %v", p, got, err)
		}
	}
	for _, s := range []string{"", "3", "3-", "-3", "3-4-5", "03-4", "3-+4", "3 - 4", "4294967296-1", "a-b"} {
		if p, err := ParsePosition(s); err == nil {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}

func TestAFrameIsMadeOnce(t *testing.T) {
	t.Parallel()
	made := 0
	e := &Event{}
	for range 3 {
		frame, err := e.Frame(func(*Event) ([]byte, error) { made++; return []byte("x"), nil })
		if string(frame) != "x" || err != nil {
			t.Errorf("the frame is %q, %v", frame, err)
		}
	}
	if made != 1 {
		t.Errorf("it was made %d times", made)
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("3-17")
	f.Add("-")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParsePosition(s); err == nil && p.String() != s {
			t.Errorf("%q is read as %v", s, p)
		}
	})
}
