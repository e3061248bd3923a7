package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestStories runs the files of testdata: events in, outputs and rows out. The
// head of each file says what it shows.
func TestStories(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.t = t
			return w.run(d)
		})
	})
}

func (w *world) run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "commit":
		w.commit()
		return "ok\n"
	case "crash":
		w.crash()
		return "ok\n"
	case "passivate":
		if len(w.line) > 0 || !w.object.Idle() {
			return "refused\n"
		}
		w.activate()
		return "ok\n"
	case "clock":
		d.ScanArgs(w.t, "now", &w.now)
		return "ok\n"
	case "disk":
		if d.HasArg("quiet") {
			return fmt.Sprintf("%d rows\n", len(w.disk))
		}
		return w.printDisk()
	case "memory":
		s := fmt.Sprintf("%d invocations, %d window, %d tail, idle %t\n",
			len(w.object.invocations), len(w.object.inbox.window), len(w.object.inbox.tail), w.object.Idle())
		if n := len(w.object.promises.byName); n > 0 {
			s += fmt.Sprintf("%d promises\n", n)
		}
		return s
	case "entries":
		return w.printEntries(w.str(d, "id"))
	case "state":
		return w.printState()
	default:
		out := w.apply(w.event(d))
		if d.HasArg("quiet") {
			return w.summarize(out)
		}
		return w.print(out)
	}
}

func (w *world) str(d *datadriven.TestData, key string) string {
	var s string
	d.MaybeScanArgs(w.t, key, &s)
	return s
}

func (w *world) num(d *datadriven.TestData, key string) int64 {
	var n int64
	d.MaybeScanArgs(w.t, key, &n)
	return n
}

// event reads an event. Fields: id, kind, token, idem, at, sleep and so on.
func (w *world) event(d *datadriven.TestData) Event {
	id := w.id(w.str(d, "id"))
	token := Token(w.num(d, "token"))
	switch d.Cmd {
	case "invoke":
		return w.invokeEvent(d, id, token)
	case "append":
		row := w.inv(w.str(d, "id"))
		ev := &Append{Birth: row.Birth, Epoch: row.Epoch, Ended: d.HasArg("end")}
		for line := range strings.Lines(d.Input) {
			p := w.proposal(strings.Fields(line))
			if p.Parsed != nil {
				p.Entry.Sidecar.Allocated.Signals = uint32(w.num(d, "issued"))
			}
			ev.Proposals = append(ev.Proposals, p)
		}
		return ev
	case "park":
		row := w.inv(w.str(d, "id"))
		f := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal}}
		if n := w.num(d, "signal"); n != 0 {
			f.Signals = append(f.Signals, uint32(n))
		}
		if n := w.num(d, "completion"); n != 0 {
			f.Completions = append(f.Completions, uint32(n))
		}
		return &Park{Birth: row.Birth, Epoch: row.Epoch, Await: f, Taken: uint32(w.num(d, "taken")), Allocated: journal.Allocated{Signals: uint32(w.num(d, "issued"))}}
	case "fail":
		row := w.inv(w.str(d, "id"))
		return &Fail{Birth: row.Birth, Epoch: row.Epoch, Failure: FailureEvent{Code: 500, Message: "boom", CommandIndex: -1},
			Policy: RetryPolicy{InitialInterval: 500, Factor: 2, MaxInterval: 60000, MaxAttempts: uint32(w.num(d, "max")), KillOnExhausted: d.HasArg("kill")}}
	case "read":
		row := w.inv(w.str(d, "id"))
		return &ReadState{Birth: row.Birth, Epoch: row.Epoch, Name: w.str(d, "name"), Keys: d.HasArg("keys")}
	case "signal":
		return &Signal{Token: token, ID: id, Signal: journal.SignalID(uint32(w.num(d, "index"))), Result: journal.ValueOf([]byte(w.str(d, "value")))}
	case "return":
		row := w.inv(w.str(d, "id"))
		return &Returned{From: OutboxRef{Seq: 1, N: 1}, To: Address{Object: w.key, ID: id, Birth: row.Birth, Completion: uint32(w.num(d, "completion"))},
			Type: journal.TypeCallCompletion, Result: journal.ValueOf([]byte(w.str(d, "value")))}
	case "attach":
		return &Attach{Token: token, ID: id, Peek: d.HasArg("peek")}
	default:
		return w.operation(d, id, token)
	}
}

func (w *world) operation(d *datadriven.TestData, id ident.InvocationID, token Token) Event {
	for _, op := range []Operation{OpCancel, OpKill, OpPause, OpResume, OpPurge, OpPurgeJournal} {
		if d.Cmd == op.String() {
			return &Operate{Token: token, ID: id, Op: op}
		}
	}
	switch d.Cmd {
	case "fire":
		return &Wake{Timer: *find[*TimerRow](w, func(r *TimerRow) bool { return r.ID == id && r.Slot == uint32(w.num(d, "slot")) })}
	case "recover":
		return &Recover{Active: *find[*ActiveRow](w, func(r *ActiveRow) bool { return r.ID == id }), CountDeath: d.HasArg("death"), Turn: d.HasArg("turn")}
	case "expire":
		return w.expireEvent(id, Expiring(w.num(d, "what")))
	case "edit":
		return w.editEvent(d, token)
	case "restart":
		return w.restartEvent(d, id, token)
	case "deadlocked":
		return w.deadlockedEvent(d, id)
	case "chore":
		return &DoChore{Chore: *find[*ChoreRow](w, func(*ChoreRow) bool { return true })}
	}
	d.Fatalf(w.t.(*testing.T), "unknown command")
	return nil
}

// find returns the first row on disk, in key order, for which match holds.
func find[R Row](w *world, match func(R) bool) (found R) {
	var at Key
	ok := false
	for k, row := range w.disk {
		if r, fits := row.(R); fits && match(r) && (!ok || compareKeys(k, at) < 0) {
			found, at, ok = r, k, true
		}
	}
	if !ok {
		w.t.Fatalf("no such %T on disk", found)
	}
	return found
}

func (w *world) invokeEvent(d *datadriven.TestData, id ident.InvocationID, token Token) *Invoke {
	kind := map[string]ident.Kind{"": ident.KindExclusive, "shared": ident.KindShared, "query": ident.KindShared, "run": ident.KindWorkflow}[w.str(d, "kind")]
	keep := int64(24 * 3_600_000)
	if d.HasArg("forget") {
		keep = 0
	}
	retention := Retention{Completion: keep, Journal: keep}
	if k := w.str(d, "kind"); k == "query" || k == "run" {
		retention.OfWorkflow, retention.Workflow = true, keep
	}
	ev := &Invoke{ID: id, Target: ident.Target{Service: w.key.Service, Key: w.key.Key, Handler: "h", Kind: kind}, Token: token,
		AnswerAccepted: d.HasArg("send"), IdempotencyKey: w.str(d, "idem"), StartAt: w.num(d, "at"), Value: []byte("in"),
		InvokedBy: ByIngress, Retention: retention}
	if alias := w.str(d, "alias"); alias != "" {
		ev.Alias = w.id(alias)
	}
	if c := w.str(d, "caller"); c != "" {
		ev.Caller = Caller{ID: w.id(c), ReplyTo: Address{Object: w.key, ID: w.id(c), Birth: 7, Completion: 2}}
		ev.From = OutboxRef{Seq: 1}
	}
	return ev
}

// proposal reads one line of an append: set NAME VALUE, clear NAME, clearall,
// sleep COMPLETION AT, run COMPLETION, ran COMPLETION VALUE, call COMPLETION ID,
// send ID, get COMPLETION PROMISE, peek COMPLETION PROMISE, resolve COMPLETION
// PROMISE VALUE, reject COMPLETION PROMISE MESSAGE, output VALUE, fail MESSAGE.
func (w *world) proposal(f []string) Proposal {
	arg := func(i int) string { return f[i] }
	n := func(i int) uint32 {
		var v uint32
		fmt.Sscan(f[i], &v)
		return v
	}
	var c journal.Command
	var callee *Callee
	switch f[0] {
	case "ran":
		note := journal.Notification{Type: journal.TypeRunCompletion, ID: journal.CompletionID(n(1)), Result: journal.ValueOf([]byte(arg(2)))}
		return Proposal{Entry: note.Entry(w.now)}
	case "set":
		value := arg(2)
		if size := strings.TrimPrefix(value, "size:"); size != value {
			var k int
			fmt.Sscan(size, &k)
			value = strings.Repeat("x", k)
		}
		c = &journal.SetState{Key: arg(1), Value: []byte(value)}
	case "clear":
		c = &journal.ClearState{Key: arg(1)}
	case "clearall":
		c = &journal.ClearAllState{}
	case "sleep":
		c = &journal.Sleep{Completion: n(1), WakeUpAt: uint64(n(2))}
	case "run":
		c = &journal.Run{Completion: n(1)}
	case "call", "send":
		callee = &Callee{ID: w.id(f[len(f)-1]), Target: ident.Target{Service: "Other", Key: "o", Handler: "h", Kind: ident.KindExclusive}, Known: f[len(f)-1] != "nobody"}
		if f[0] == "send" {
			c = &journal.OneWayCall{Service: "Other", Key: "o", Handler: "h", InvocationIDCompletion: 90}
		} else {
			c = &journal.Call{Service: "Other", Key: "o", Handler: "h", InvocationIDCompletion: n(1) - 1, Completion: n(1)}
		}
	case "get":
		c = &journal.GetPromise{Completion: n(1), Key: arg(2)}
	case "peek":
		c = &journal.PeekPromise{Completion: n(1), Key: arg(2)}
	case "resolve":
		c = &journal.CompletePromise{Completion: n(1), Key: arg(2), Result: journal.ValueOf([]byte(arg(3)))}
	case "reject":
		c = &journal.CompletePromise{Completion: n(1), Key: arg(2), Result: journal.FailureOf(500, arg(3))}
	case "output":
		c = &journal.Output{Result: journal.ValueOf([]byte(arg(1)))}
	case "fail":
		c = &journal.Output{Result: journal.FailureOf(422, arg(1))}
	default:
		w.t.Fatalf("unknown proposal %v", f)
	}
	return Proposal{Entry: journal.NewEntry(c, w.now, journal.Sidecar{}), Parsed: c, Callee: callee}
}
