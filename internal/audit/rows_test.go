package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestARowThatIsGoneIsFound removes each row of a store, one at a time. Only rows
// that a chore is about to remove are not missed.
func TestARowThatIsGoneIsFound(t *testing.T) {
	t.Parallel()
	k := museum(t)
	tried := map[machine.Table]int{}
	rows := all(t, k.store.Crash())
	swept := map[ident.Seq]bool{}
	for _, row := range rows {
		if c, ok := row.(*machine.ChoreRow); ok && c.Kind == machine.ChoreSweepState {
			swept[c.Generation] = true
		}
	}
	for _, row := range rows {
		key := row.Key()
		tried[key.Table]++
		if s, ok := row.(*machine.StateRow); ok && swept[s.Generation] {
			continue
		}
		if k.altered(machine.Write{Delete: key}).Good() {
			t.Errorf("nothing is found without %T %+v", row, row)
		}
	}
	for _, table := range tables() {
		if tried[table] == 0 {
			t.Errorf("the museum has no row of table %c", table)
		}
	}
}

// alteration changes rows of one type: the first one for which change is true.
type alteration struct {
	what string
	rule audit.Rule
	// change gets every row and returns what to write instead of it, nil for
	// another row.
	change func(row machine.Row) []machine.Write
}

// edit makes the change of an alteration out of one that knows the type of its
// row, and reports whether it has changed that.
func edit[R machine.Row](fn func(R) bool) func(machine.Row) []machine.Write {
	return func(row machine.Row) []machine.Write {
		typed, ok := row.(R)
		if !ok {
			return nil
		}
		old := row.Key()
		if !fn(typed) {
			return nil
		}
		writes := []machine.Write{{Put: row}}
		if row.Key() != old {
			writes = append(writes, machine.Write{Delete: old})
		}
		return writes
	}
}

// record alters the first record that fits.
func record(fits func(*machine.InvocationRow) bool, change func(*machine.InvocationRow)) func(machine.Row) []machine.Write {
	return edit(func(r *machine.InvocationRow) bool {
		if !fits(r) {
			return false
		}
		change(r)
		return true
	})
}

func has(s machine.Status) func(*machine.InvocationRow) bool {
	return func(r *machine.InvocationRow) bool { return r.Status == s }
}

func keyed(key string) func(*machine.InvocationRow) bool {
	return func(r *machine.InvocationRow) bool { return r.Target.Key == key }
}

func notification(typ journal.Type, id journal.NotificationID) journal.Entry {
	n := journal.Notification{Type: typ, ID: id, Result: journal.VoidResult()}
	return n.Entry(1)
}

func add(r *machine.InvocationRow, e journal.Entry) {
	r.Tail = append(r.Tail, e)
	r.JournalLength++
}

func journalCases() []alteration {
	const any = ident.FirstAwakeable
	return []alteration{
		{"a count of journal rows", audit.RuleCount, record(keyed("long"), func(r *machine.InvocationRow) { r.JournalRows++ })},
		{"a count of signals", audit.RuleCount, record(keyed("long"), func(r *machine.InvocationRow) { r.Signals++ })},
		{"a count of what is owed", audit.RuleCount, record(keyed("caller"), func(r *machine.InvocationRow) { r.Pending-- })},
		{"a count of waiters", audit.RuleCount, record(keyed("callee"), func(r *machine.InvocationRow) { r.Waiters-- })},
		{"a count of commands", audit.RuleJournal, record(keyed("long"), func(r *machine.InvocationRow) { r.Commands-- })},
		{"a count of entries", audit.RuleJournal, record(keyed("long"), func(r *machine.InvocationRow) { r.JournalLength++ })},
		{"a journal that is gone", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) { r.Tail = nil })},
		{"a journal without its input", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			r.Tail, r.JournalLength, r.Commands = r.Tail[1:], r.JournalLength-1, r.Commands-1
		})},
		{"a completion that nothing asked for", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			add(r, notification(journal.TypeRunCompletion, journal.CompletionID(99)))
		})},
		{"a completion of another type", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			add(r, notification(journal.TypeRunCompletion, journal.CompletionID(1)))
		})},
		{"two completions", audit.RuleJournal, record(keyed("answered"), func(r *machine.InvocationRow) {
			e := notification(journal.TypeCallInvocationID, journal.CompletionID(1))
			add(r, e)
		})},
		{"two answers of an awakeable", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			add(r, notification(journal.TypeSignal, journal.SignalID(any+5)))
		})},
		{"a completion that is owed and there", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			add(r, notification(journal.TypeSleepCompletion, journal.CompletionID(1)))
		})},
		{"an entry behind the result", audit.RuleJournal, record(keyed("usual"), func(r *machine.InvocationRow) {
			add(r, notification(journal.TypeSignal, journal.NamedSignalID("late")))
		})},
		{"a result of what has not ended", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			add(r, journal.NewEntry(&journal.Output{Result: journal.ValueOf(nil)}, 1, journal.Sidecar{}))
			r.Commands++
		})},
		{"an entry that cannot be read", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			add(r, journal.Entry{Type: journal.TypeSleep, Body: []byte{0xFF}, At: 1})
			r.Commands++
		})},
		{"an unknown entry", audit.RuleJournal, record(keyed("sleeper"), func(r *machine.InvocationRow) { add(r, journal.Entry{Type: 7, At: 1}) })},
	}
}

func waitCases() []alteration {
	const any = ident.FirstAwakeable
	return []alteration{
		{"a tree that is satisfied", audit.RuleReason, record(keyed("sleeper"), func(r *machine.InvocationRow) {
			r.Await.Signals, r.Taken = append(r.Await.Signals, any+5), 0
		})},
		{"a tree that nobody completes", audit.RuleReason, record(keyed("sleeper"), func(r *machine.InvocationRow) { r.Await.Completions = []uint32{77} })},
		{"no tree", audit.RuleReason, record(keyed("sleeper"), func(r *machine.InvocationRow) { r.Await = nil })},
		{"a tree of what is ready", audit.RuleReason, record(has(machine.StatusReady), func(r *machine.InvocationRow) { r.Await = &journal.Future{Signals: []uint32{17}} })},
		{"another start time", audit.RuleReason, record(has(machine.StatusScheduled), func(r *machine.InvocationRow) { r.ScheduledFor++ })},
		{"another retry time", audit.RuleReason, record(has(machine.StatusBackingOff), func(r *machine.InvocationRow) { r.Retry.NextAt++ })},
		{"another attempt", audit.RuleReason, record(has(machine.StatusBackingOff), func(r *machine.InvocationRow) { r.Epoch++ })},
		{"a place in no queue", audit.RuleReason, record(has(machine.StatusPending), func(r *machine.InvocationRow) { r.InboxSeq++ })},
		{"an unknown status", audit.RuleReason, record(has(machine.StatusPaused), func(r *machine.InvocationRow) { r.Status = 99 })},
		{"paused instead of ready", audit.RuleReason, record(has(machine.StatusReady), func(r *machine.InvocationRow) { r.Status = machine.StatusPaused })},
		{"ready instead of paused", audit.RuleReason, record(has(machine.StatusPaused), func(r *machine.InvocationRow) { r.Status = machine.StatusReady })},
		{"another kind", audit.RuleHolder, record(keyed("caller"), func(r *machine.InvocationRow) { r.Target.Kind = ident.KindShared })},
		{"another key", audit.RuleHolder, record(keyed("caller"), func(r *machine.InvocationRow) { r.Target.Key = "callee" })},
		{"another alias", audit.RuleName, record(keyed("sleeper"), func(r *machine.InvocationRow) { r.Alias[20]++ })},
		{"another id", audit.RuleName, record(keyed("usual"), func(r *machine.InvocationRow) { r.ID[20]++ })},
		{"another caller", audit.RuleHandover, record(keyed("callee"), func(r *machine.InvocationRow) { r.Caller.ReplyTo.Completion++ })},
		{"another retention", audit.RuleExpiry, record(keyed("kept"), func(r *machine.InvocationRow) { r.ExpiresAt += day })},
		{"a retention of no workflow", audit.RuleWorkflow, record(keyed("w"), func(r *machine.InvocationRow) { r.Retention.OfWorkflow = false })},
	}
}

func headed(key string, change func(*machine.HeadRow)) func(machine.Row) []machine.Write {
	return edit(func(h *machine.HeadRow) bool {
		if h.Object.Key != key {
			return false
		}
		change(h)
		return true
	})
}

func headCases() []alteration {
	return []alteration{
		{"another holder", audit.RuleHolder, headed("queue", func(h *machine.HeadRow) { h.Holder++ })},
		{"another id of the holder", audit.RuleHolder, headed("queue", func(h *machine.HeadRow) { h.HolderID[9]++ })},
		{"a queue that nobody serves", audit.RuleReason, headed("queue", func(h *machine.HeadRow) { h.Holder, h.HolderID = 0, ident.InvocationID{} })},
		{"a count of places", audit.RuleCount, headed("queue", func(h *machine.HeadRow) { h.InboxLength++ })},
		{"a first place that skips one", audit.RuleQueue, headed("queue", func(h *machine.HeadRow) { h.InboxFirst += 1000 })},
		{"a count of values", audit.RuleCount, headed("queue", func(h *machine.HeadRow) { h.StateRows++ })},
		{"another generation", audit.RuleOwner, headed("queue", func(h *machine.HeadRow) { h.Generation++ })},
		{"a value that stands twice", audit.RuleState, headed("queue", func(h *machine.HeadRow) {
			h.Inline = append([]machine.StateValue{{Name: "large", Value: []byte("v")}}, h.Inline...)
		})},
		{"another run", audit.RuleWorkflow, headed("w", func(h *machine.HeadRow) { h.Workflow.Run++ })},
		{"no run", audit.RuleWorkflow, headed("w", func(h *machine.HeadRow) { h.Workflow.Run = 0 })},
		{"a count of unfinished ones", audit.RuleWorkflow, headed("w", func(h *machine.HeadRow) { h.Workflow.Unfinished-- })},
		{"a removal that nothing holds up", audit.RuleWorkflow, headed("w", func(h *machine.HeadRow) { h.Workflow.Expiring = true })},
		{"a count of promises", audit.RuleCount, headed("w", func(h *machine.HeadRow) { h.Workflow.Promises++ })},
		{"another generation of promises", audit.RuleOwner, headed("w", func(h *machine.HeadRow) { h.Workflow.Generation++ })},
		{"another time of removal", audit.RuleExpiry, headed("never", func(h *machine.HeadRow) { h.Workflow.ExpiresAt += 2 * hour })},
		{"no time of removal", audit.RuleExpiry, headed("never", func(h *machine.HeadRow) { h.Workflow.ExpiresAt = 0 })},
		{"a head that has nothing to say", audit.RuleOwner, func(machine.Row) []machine.Write {
			return []machine.Write{{Put: &machine.HeadRow{Partition: 3, Object: ident.ObjectKey{Service: "Obj", Key: "empty"}}}}
		}},
	}
}

func rowCases() []alteration {
	return []alteration{
		{"a place of somebody else", audit.RuleQueue, edit(func(r *machine.InboxRow) bool { r.ID[9]++; return r.Kind == machine.InboxInvocation })},
		{"a place that is an invocation", audit.RuleQueue, edit(func(r *machine.InboxRow) bool {
			patch := r.Kind == machine.InboxPatch
			r.Kind = machine.InboxInvocation
			return patch
		})},
		{"an id of another key", audit.RuleName, edit(func(r *machine.IDRow) bool { r.Object.Key += "x"; return true })},
		{"an id of another birth", audit.RuleName, edit(func(r *machine.IDRow) bool { r.Birth++; return true })},
		{"an alias of another birth", audit.RuleName, edit(func(r *machine.AliasRow) bool { r.Birth++; return true })},
		{"a row of entries elsewhere", audit.RuleJournal, edit(func(r *machine.JournalRow) bool { r.First++; return true })},
		{"a row of fewer entries", audit.RuleJournal, edit(func(r *machine.JournalRow) bool { r.Entries = r.Entries[1:]; return true })},
		{"a row of no entry", audit.RuleJournal, edit(func(r *machine.JournalRow) bool { r.Entries = nil; return true })},
		{"entries of nobody", audit.RuleOwner, edit(func(r *machine.JournalRow) bool { r.Birth += 1 << 30; return true })},
		{"an answer elsewhere", audit.RuleJournal, edit(func(r *machine.SignalRow) bool { r.Entry--; return true })},
		{"an answer beyond the end", audit.RuleJournal, edit(func(r *machine.SignalRow) bool { r.Entry += 1000; return true })},
		{"an answer of another awakeable", audit.RuleJournal, edit(func(r *machine.SignalRow) bool { r.Index++; return true })},
		{"a sleep that ends at another time", audit.RuleTimer, edit(func(r *machine.PendingRow) bool { r.Due++; return r.Due > 1 })},
		{"a completion nobody asked for", audit.RuleJournal, edit(func(r *machine.PendingRow) bool { r.Completion += 9; return true })},
		{"a wait for another listener", audit.RulePromise, edit(func(r *machine.PendingRow) bool { r.Listener += 7; return r.Promise != 0 })},
		{"a waiter for something else", audit.RuleHandover, edit(func(r *machine.WaiterRow) bool { r.To.Completion++; return true })},
		{"a timer of another attempt", audit.RuleTimer, edit(func(r *machine.TimerRow) bool { r.Epoch++; return r.Slot == 0 })},
		{"a timer of another key", audit.RuleTimer, edit(func(r *machine.TimerRow) bool { r.Object.Key += "x"; return true })},
		{"a message for somebody else", audit.RuleHandover, edit(func(r *machine.OutboxRow) bool {
			m, ok := r.Message.(*machine.Invoke)
			if ok {
				m.Caller.ReplyTo.Birth++
			}
			return ok
		})},
		{"a message that was accepted", audit.RuleHandover, func(row machine.Row) []machine.Write {
			o, ok := row.(*machine.OutboxRow)
			m, invoke := (*machine.Invoke)(nil), false
			if ok {
				m, invoke = o.Message.(*machine.Invoke)
			}
			if !invoke {
				return nil
			}
			return []machine.Write{{Put: &machine.IDRow{ID: m.ID, Birth: 1, Object: ident.ObjectKeyOf(m.Target, m.ID)}}}
		}},
	}
}

func indexCases() []alteration {
	return []alteration{
		{"a place in the active set of somebody else", audit.RuleReason, edit(func(r *machine.ActiveRow) bool { r.ID[9]++; return true })},
		{"a place in the active set of nobody", audit.RuleOwner, edit(func(r *machine.ActiveRow) bool { r.Birth += 1 << 30; return true })},
		{"a list by status", audit.RuleStatus, edit(func(r *machine.StatusRow) bool { r.Class = machine.ClassPaused; return true })},
		{"a list of nobody", audit.RuleOwner, edit(func(r *machine.StatusRow) bool { r.Birth += 1 << 30; return true })},
		{"an hour of removal", audit.RuleExpiry, edit(func(r *machine.ExpiryRow) bool { r.Hour++; return r.What == machine.ExpireInvocation })},
		{"an hour of removal of a journal", audit.RuleExpiry, edit(func(r *machine.ExpiryRow) bool { r.Hour++; return r.What == machine.ExpireJournal })},
		{"an hour of removal of a marker", audit.RuleExpiry, edit(func(r *machine.ExpiryRow) bool { r.Hour++; return r.What == machine.ExpireMarker })},
		{"an hour of removal of a workflow", audit.RuleExpiry, edit(func(r *machine.ExpiryRow) bool { r.Hour++; return r.What == machine.ExpireWorkflow })},
		{"a removal of an unknown thing", audit.RuleExpiry, edit(func(r *machine.ExpiryRow) bool { r.What = 99; return true })},
		{"an hour of a marker", audit.RuleExpiry, edit(func(r *machine.MarkerRow) bool { r.Hour++; return true })},
		{"a value of another generation", audit.RuleOwner, edit(func(r *machine.StateRow) bool { r.Generation += 1 << 30; return true })},
		{"a promise beyond the count", audit.RulePromise, edit(func(r *machine.PromiseRow) bool { r.Number += 5; return true })},
		{"a promise of another generation", audit.RuleOwner, edit(func(r *machine.PromiseRow) bool { r.Generation++; return true })},
		{"a promise that is done and untold", audit.RulePromise, edit(func(r *machine.PromiseRow) bool {
			open := r.Result.Kind == journal.ResultNone
			r.Result, r.CompletedAt = journal.VoidResult(), 1
			return open
		})},
		{"a listener of somebody else", audit.RulePromise, edit(func(r *machine.ListenerRow) bool { r.Completion++; return true })},
		{"a chore that sweeps something else", audit.RuleOwner, edit(func(r *machine.ChoreRow) bool { r.Generation++; return true })},
		{"an unknown chore", audit.RuleOwner, edit(func(r *machine.ChoreRow) bool { r.Kind = 99; return true })},
		{"a patch of another place", audit.RuleQueue, edit(func(r *machine.PatchRow) bool { r.Seq++; return true })},
	}
}

// TestAnAlteredRowIsFoundByItsRule changes one field of one row at a time.
func TestAnAlteredRowIsFoundByItsRule(t *testing.T) {
	t.Parallel()
	k := museum(t)
	rules := map[audit.Rule]bool{audit.RuleReadable: true} // a bit of a file flips for that
	for _, list := range [][]alteration{journalCases(), waitCases(), headCases(), rowCases(), indexCases()} {
		for _, a := range list {
			var writes []machine.Write
			for _, row := range all(t, k.store.Crash()) {
				if writes = a.change(row); writes != nil {
					break
				}
			}
			if writes == nil {
				t.Errorf("%s: the museum has no such row", a.what)
				continue
			}
			found := k.altered(writes...).Findings
			if !hasRule(found, a.rule) {
				t.Errorf("%s: no rule %s among %v", a.what, a.rule, found)
			}
			rules[a.rule] = true
		}
	}
	for r := audit.RuleReadable; !strings.HasPrefix(r.String(), "unknown"); r++ {
		if !rules[r] {
			t.Errorf("no case breaks rule %s", r)
		}
	}
}

func hasRule(found []audit.Finding, r audit.Rule) bool {
	for _, f := range found {
		if f.Rule == r {
			return true
		}
	}
	return false
}

// TestATimerBelowTheMarkIsFound moves the mark instead of a timer.
func TestATimerBelowTheMarkIsFound(t *testing.T) {
	t.Parallel()
	k := museum(t)
	s := k.store.Crash()
	if err := s.Commit(nil, persistence.Marks{Timers: k.now + 2*hour}); err != nil {
		t.Fatal(err)
	}
	if found := check(t, s).Findings; !hasRule(found, audit.RuleTimer) {
		t.Errorf("found is %v", found)
	}
}

func TestAReportCountsWhatIsThere(t *testing.T) {
	t.Parallel()
	k := museum(t)
	r := check(t, k.store)
	if rows := len(all(t, k.store)); r.Rows != uint64(rows) || r.Invocations == 0 || r.Unfinished == 0 || r.Unfinished >= r.Invocations {
		t.Errorf("the report counts %d rows of %d, %d invocations, %d of them unfinished", r.Rows, rows, r.Invocations, r.Unfinished)
	}
	if r.Awakeables != 2 { // of sleeper; what is answered is none of them
		t.Errorf("the report counts %d awakeables", r.Awakeables)
	}
}

// BenchmarkCheck judges a store of some 300 rows.
func BenchmarkCheck(b *testing.B) {
	k := museum(b)
	for n := 0; len(all(b, k.store)) < 300; n++ {
		l := k.invoke(object(fmt.Sprint("more", n%8)), nil)
		if l.epoch != 0 {
			l.sleep(hour)
			l.end()
		}
	}
	report := check(b, k.store)
	b.ReportMetric(float64(report.Rows), "rows")
	b.ReportAllocs()
	for b.Loop() {
		check(b, k.store)
	}
}
