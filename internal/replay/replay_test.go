package replay

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestStories runs testdata. The commands:
//
//	journal              one entry per line, as the engine stored them
//	attempt [suspended=N[,draws]]
//	                     starts a pass over the journal
//	do                   one operation per line, and what comes of it
//
// Entries and operations:
//
//	set K V | clear K | clearall | get K [value=V] | lazyget K | keys [keys=a,b]
//	lazykeys | run [name=N] | sleep [name=N] | call S/H P | send S/H P
//	signal TARGET NAME V | cancel TARGET | attach ID | resolve ID V
//	output V | fail MESSAGE
//	<completion N V | <callee N ID | <awakeable N V | <named NAME V | <cancel
//
// A stored command may end in @signals or @signals,draws: what had been allocated before it.
// Operations only: awakeable [TYPE], draw, await IDS, feed NOTIFICATION, opaque
// OPERATION, callee N, last. Ids are c1 (completion), s17 (signal), n:NAME and
// done, a future that is done already.
func TestStories(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var s story
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "journal":
				return s.store(d.Input)
			case "attempt":
				return s.start(d)
			case "do":
				return s.do(d.Input)
			default:
				t.Fatalf("unknown command %q", d.Cmd)
				return ""
			}
		})
	})
}

type story struct {
	entries []journal.Entry
	attempt *Attempt
	// stored allocates ids for the entries of the journal.
	stored allocator
	issued allocator
}

// allocator hands out completion ids as an Attempt does.
type allocator interface{ NextCompletion() uint32 }

type counter uint32

func (c *counter) NextCompletion() uint32 { *c++; return uint32(*c) }

func (s *story) store(input string) string {
	s.entries, s.stored = nil, new(counter)
	for line := range strings.Lines(input) {
		line, at, _ := strings.Cut(strings.TrimSpace(line), " @")
		if strings.HasPrefix(line, "<") {
			n := notification(strings.Fields(line))
			s.entries = append(s.entries, n.Entry(0))
			continue
		}
		c := command(strings.Fields(line), s.stored)
		s.entries = append(s.entries, journal.NewEntry(c, 0, journal.Sidecar{Allocated: allocated(at)}))
	}
	return fmt.Sprintf("%d entries\n", len(s.entries))
}

// allocated reads signals[,draws]; all signals are awakeables of a string.
func allocated(text string) journal.Allocated {
	var a Attempt
	signals, draws, _ := strings.Cut(text, ",")
	for range number(signals) {
		a.NextSignal("awakeable", "string")
	}
	for range number(draws) {
		a.Draw()
	}
	return a.Allocated()
}

func (s *story) start(d *datadriven.TestData) string {
	var suspended journal.Allocated
	if d.HasArg("suspended") {
		var args []string
		for i := range d.CmdArgs {
			args = append(args, d.CmdArgs[i].Vals...)
		}
		suspended = allocated(strings.Join(args, ","))
	}
	a := new(Attempt)
	input, err := a.Begin(s.entries, suspended)
	if err != nil {
		return err.Error() + "\n"
	}
	s.attempt, s.issued = a, a
	return fmt.Sprintf("input %q, replaying: %t\n", input.Value, a.Replaying())
}

func (s *story) do(input string) string {
	var b strings.Builder
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		fmt.Fprintf(&b, "%s: %s\n", line, s.step(strings.Fields(line), false))
	}
	return b.String()
}

func (s *story) step(words []string, opaque bool) string {
	switch words[0] {
	case "opaque":
		return s.step(words[1:], true)
	case "awakeable":
		typeName := "string"
		if len(words) > 1 {
			typeName = words[1]
		}
		return fmt.Sprintf("signal %d", s.attempt.NextSignal("awakeable", typeName))
	case "draw":
		s.attempt.Draw()
		return fmt.Sprintf("%d draws", s.attempt.Allocated().Draws)
	case "feed":
		s.attempt.Feed([]journal.Notification{notification(words[1:])})
		return "ok"
	case "await":
		return s.await(words[1:])
	case "callee":
		id, arrived := s.attempt.Callee(uint32(number(words[1])))
		return fmt.Sprintf("%q, arrived: %t", id, arrived)
	case "last":
		c, index := s.attempt.Last()
		return fmt.Sprintf("command %d, %v", index, c.Type())
	}
	stored, err := s.attempt.Issue(command(words, s.issued), opaque)
	switch {
	case err != nil:
		return err.Error()
	case stored == nil:
		return "new"
	}
	return "stored" + inside(stored)
}

func inside(c journal.Command) string {
	switch c := c.(type) {
	case *journal.GetEagerState:
		return " " + show(c.Result)
	case *journal.GetEagerStateKeys:
		return fmt.Sprintf(" %q", c.Keys)
	case *journal.GetLazyState:
		return fmt.Sprintf(" as completion %d", c.Completion)
	default:
		return ""
	}
}

func (s *story) await(words []string) string {
	ids := make([]journal.NotificationID, len(words))
	for i, w := range words {
		ids[i] = id(w)
	}
	step, err := s.attempt.Await(ids)
	switch {
	case err != nil:
		return err.Error()
	case step.Kind == StepDone:
		return fmt.Sprintf("%v %s, %s", step.Kind, words[step.Index], show(step.Result))
	case step.Kind == StepPending:
		return fmt.Sprintf("%v, suspend on %v", step.Kind, s.attempt.Suspension(ids))
	}
	return step.Kind.String()
}

func id(w string) journal.NotificationID {
	switch {
	case w == "done":
		return journal.NotificationID{}
	case w[0] == 'c':
		return journal.CompletionID(uint32(number(w[1:])))
	case w[0] == 's':
		return journal.SignalID(uint32(number(w[1:])))
	default:
		return journal.NamedSignalID(strings.TrimPrefix(w, "n:"))
	}
}

func show(r journal.Result) string {
	switch r.Kind {
	case journal.ResultValue:
		return fmt.Sprintf("value %q", r.Value)
	case journal.ResultFailure:
		return fmt.Sprintf("failure %d %s", r.Failure.Code, r.Failure.Message)
	case journal.ResultVoid:
		return "void"
	default:
		return "as before"
	}
}

func notification(words []string) journal.Notification {
	value := journal.VoidResult()
	if len(words) > 2 {
		value = journal.ValueOf([]byte(words[2]))
	}
	switch words[0] {
	case "<completion":
		return journal.Notification{Type: journal.TypeRunCompletion, ID: journal.CompletionID(uint32(number(words[1]))), Result: value}
	case "<callee":
		r := journal.Result{Kind: journal.ResultInvocationID, InvocationID: words[2]}
		return journal.Notification{Type: journal.TypeCallInvocationID, ID: journal.CompletionID(uint32(number(words[1]))), Result: r}
	case "<awakeable":
		return journal.Notification{Type: journal.TypeSignal, ID: journal.SignalID(uint32(number(words[1]))), Result: value}
	case "<named":
		return journal.Notification{Type: journal.TypeSignal, ID: journal.NamedSignalID(words[1]), Result: value}
	default:
		return journal.Notification{Type: journal.TypeSignal, ID: journal.SignalID(ident.CancelSignal), Result: journal.VoidResult()}
	}
}

// line is one entry or operation: a word, its arguments and its options.
type line []string

func (l line) at(i int) string {
	if i < len(l) && !strings.Contains(l[i], "=") {
		return l[i]
	}
	return ""
}

func (l line) option(name string) string {
	for _, w := range l[1:] {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

// command reads one command; ids come from a.
func command(words line, a allocator) journal.Command {
	at, option := words.at, words.option
	switch words[0] {
	case "input":
		return &journal.Input{Value: []byte(at(1))}
	case "set":
		return &journal.SetState{Key: at(1), Value: []byte(at(2))}
	case "clear":
		return &journal.ClearState{Key: at(1)}
	case "clearall":
		return &journal.ClearAllState{}
	case "get":
		a.NextCompletion()
		r := journal.VoidResult()
		if v := option("value"); v != "" {
			r = journal.ValueOf([]byte(v))
		}
		return &journal.GetEagerState{Key: at(1), Result: r}
	case "lazyget":
		return &journal.GetLazyState{Key: at(1), Completion: a.NextCompletion()}
	case "keys":
		a.NextCompletion()
		return &journal.GetEagerStateKeys{Keys: strings.Split(option("keys"), ",")}
	case "lazykeys":
		return &journal.GetLazyStateKeys{Completion: a.NextCompletion()}
	case "promise":
		return &journal.GetPromise{Key: at(1), Completion: a.NextCompletion()}
	case "peek":
		return &journal.PeekPromise{Key: at(1), Completion: a.NextCompletion()}
	case "complete":
		return &journal.CompletePromise{Key: at(1), Result: journal.ValueOf([]byte(at(2))), Completion: a.NextCompletion()}
	case "run":
		return &journal.Run{Completion: a.NextCompletion(), Name: option("name")}
	case "sleep":
		return &journal.Sleep{WakeUpAt: 7, Completion: a.NextCompletion(), Name: option("name")}
	case "signal":
		return &journal.SendSignal{Target: at(1), Named: true, Signal: at(2), Result: journal.ValueOf([]byte(at(3)))}
	case "cancel":
		return &journal.SendSignal{Target: at(1), Index: ident.CancelSignal, Result: journal.VoidResult()}
	case "attach":
		return &journal.AttachInvocation{Target: journal.AttachTarget{InvocationID: at(1)}, Completion: a.NextCompletion()}
	case "getoutput":
		return &journal.GetOutput{Target: journal.AttachTarget{InvocationID: at(1)}, Completion: a.NextCompletion()}
	case "resolve":
		return &journal.CompleteAwakeable{AwakeableID: at(1), Result: journal.ValueOf([]byte(at(2)))}
	case "reject":
		return &journal.CompleteAwakeable{AwakeableID: at(1), Result: journal.FailureOf(500, at(2))}
	case "output":
		return &journal.Output{Result: journal.ValueOf([]byte(at(1)))}
	case "fail":
		return &journal.Output{Result: journal.FailureOf(500, at(1))}
	default:
		return call(words, a)
	}
}

// call reads a call or a send.
func call(words line, a allocator) journal.Command {
	at, option := words.at, words.option
	service, handler, _ := strings.Cut(at(1), "/")
	switch words[0] {
	case "call":
		return &journal.Call{
			Service: service, Handler: handler, Key: option("key"), Parameter: []byte(at(2)),
			Headers: headers(option("header")), IdempotencyKey: optional(option("idempotency")),
			InvocationIDCompletion: a.NextCompletion(), Completion: a.NextCompletion(),
		}
	case "send":
		return &journal.OneWayCall{
			Service: service, Handler: handler, Key: option("key"), Parameter: []byte(at(2)),
			Headers: headers(option("header")), IdempotencyKey: optional(option("idempotency")),
			InvokeAt: uint64(number(option("at"))), InvocationIDCompletion: a.NextCompletion(),
		}
	default:
		panic("unknown entry or operation " + words[0])
	}
}

func headers(text string) []journal.Header {
	if text == "" {
		return nil
	}
	return []journal.Header{{Key: text, Value: "v"}}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// TestJournalWithoutInputIsRefused: a pass over something else must not start.
func TestJournalWithoutInputIsRefused(t *testing.T) {
	t.Parallel()
	for _, entries := range [][]journal.Entry{
		nil,
		{journal.NewEntry(&journal.Run{Completion: 1}, 0, journal.Sidecar{})},
		{{Type: journal.TypeInput, Body: []byte{0xFF}}},
		{journal.NewEntry(&journal.Input{}, 0, journal.Sidecar{}), {Type: journal.TypeSignal, Body: []byte{0xFF}}},
	} {
		if input, err := new(Attempt).Begin(entries, journal.Allocated{}); err == nil {
			t.Errorf("Begin(%v) = %v, want an error", entries, input)
		}
	}
}

// TestSignalHashIsStored pins the rolling hash: it stands in stored sidecars.
func TestSignalHashIsStored(t *testing.T) {
	t.Parallel()
	var a Attempt
	a.NextSignal("awakeable", "string")
	const want uint64 = 0xae0b3028089299f9
	if got := a.Allocated().SignalHash; got != want {
		t.Fatalf("hash of one awakeable of a string = %#x, want %#x", got, want)
	}
}

// BenchmarkReplaySetState is the cost of one stored command per pass.
func BenchmarkReplaySetState(b *testing.B) {
	entries := []journal.Entry{journal.NewEntry(&journal.Input{}, 0, journal.Sidecar{})}
	c := &journal.SetState{Key: "count", Value: []byte("42")}
	for range 100 {
		entries = append(entries, journal.NewEntry(c, 0, journal.Sidecar{}))
	}
	b.ReportAllocs()
	for b.Loop() {
		a := new(Attempt)
		_, err := a.Begin(entries, journal.Allocated{})
		if err != nil {
			b.Fatal(err)
		}
		for range 100 {
			if _, err := a.Issue(c, false); err != nil {
				b.Fatal(err)
			}
		}
	}
}
