package dormousetest

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/replay"
	restate "github.com/dormouse-run/dormouse/objects"
)

// replayPatience bounds the time that a handler spends outside of the SDK.
const replayPatience = 30 * time.Second

// Replayed is what came of a replay that fits.
type Replayed struct {
	// Commands is how many stored commands the handler has issued again; its
	// input is none.
	Commands int
	// Next is what the handler does behind the journal.
	Next Step
}

// Step is what a handler does next. It was not done: no closure was executed, no
// state was read and nothing was sent.
type Step struct {
	Kind StepKind
	// Command is the type of a new command, as introspection names it, for
	// example Sleep, Call, SetState or Output; empty for other steps.
	Command string
	// Name says what the step is about: the name of a run or a timer, the state
	// key, the target of a call as Service/Key/Handler, what is waited for.
	Name string
	// Value is what a command carries: the state value, the input of a call, the
	// output. It is encoded by the codec of the operation.
	Value []byte
	// Err is the terminal error of an Output, or the retryable one with which
	// the attempt fails.
	Err error
}

// StepKind tells steps apart.
type StepKind uint8

// Kinds of a Step.
const (
	// StepEnd: the journal holds the end of the invocation.
	StepEnd StepKind = iota + 1
	// StepCommand: a command that the journal does not hold.
	StepCommand
	// StepRun: closures are executed, of runs whose commands are stored and whose
	// results are not.
	StepRun
	// StepRead: state is read that the journal does not hold.
	StepRead
	// StepWait: the handler waits for something that has not arrived.
	StepWait
	// StepFail: the attempt fails with an error that is retried.
	StepFail
)

// String returns the word.
func (k StepKind) String() string {
	switch k {
	case StepEnd:
		return "end"
	case StepCommand:
		return "command"
	case StepRun:
		return "run"
	case StepRead:
		return "read"
	case StepWait:
		return "wait"
	case StepFail:
		return "fail"
	default:
		return "none"
	}
}

// String says in one line what is done.
func (s Step) String() string {
	text := s.Kind.String()
	for _, part := range []string{s.Command, s.Name} {
		if part != "" {
			text += " " + part
		}
	}
	if len(s.Value) > 0 {
		text += fmt.Sprintf(" %.100q", s.Value)
	}
	if s.Err != nil {
		text += ": " + s.Err.Error()
	}
	return text
}

// Replay runs the journal of an invocation against the handler that service has
// for it today. exported is the JSON of GET
// /introspection/invocations/{id}?export=true, from the admin port of any
// runtime; the invocation may be at any point of its life. No closure is executed
// and nothing is read, sent or stored.
//
// The test fails when the code does not fit: where a new build would get stuck
// with code 570 it names both sides, and where the handler fails or does not come
// back before all stored commands were issued it names the command. Otherwise
// Replay returns what the handler would do next. callees are the definitions that
// the handler calls behind the journal; calls in the journal need none.
func Replay(t testing.TB, exported []byte, service restate.ServiceDefinition, callees ...restate.ServiceDefinition) Replayed {
	t.Helper()
	s, err := parseExported(exported)
	if err != nil {
		t.Fatalf("dormousetest: %v", err)
	}
	handler, err := s.handler(service)
	if err != nil {
		t.Fatalf("dormousetest: replay %s of %s: %v", s.id, s.target, err)
	}
	settings := restate.SettingsOf(service, restate.DefaultSettings())[s.target.Handler]
	h := newReplayHost(append(callees, service), s.entries)
	out := &testOutput{out: t.Output()}
	defer out.close()
	attempt := &restate.Attempt{
		ID: s.id, Target: s.target, IdempotencyKey: s.idempotencyKey, RandomSeed: s.seed, Alias: s.alias,
		Journal: s.entries, Allocated: s.allocated, LazyState: settings.EnableLazyState,
		Logger: slog.New(slog.NewTextHandler(out, nil)),
	}
	outcome, ended := execute(h, attempt, handler)
	if !ended {
		t.Fatalf("dormousetest: replay %s of %s: the handler has not come back within %v: it blocks outside of the SDK, which a replay cannot repeat:\n%s",
			s.id, s.target, replayPatience, handlerStack())
	}
	replayed, err := s.judge(outcome, h)
	if err != nil {
		t.Fatalf("dormousetest: replay %s of %s: %v", s.id, s.target, err)
	}
	return replayed
}

// handler finds the code for the invocation.
func (s *story) handler(service restate.ServiceDefinition) (restate.Handler, error) {
	if err := restate.Validate(service); err != nil {
		return nil, err
	}
	if service.Name() != s.target.Service {
		return nil, fmt.Errorf("the definition is of service %s: give the one of %s", service.Name(), s.target.Service)
	}
	h, bound := service.Handlers()[s.target.Handler]
	switch {
	case !bound:
		return nil, fmt.Errorf("%s has no handler %s: the invocation would wait until a build has one", service.Name(), s.target.Handler)
	case h.Kind() != s.target.Kind:
		return nil, fmt.Errorf("handler %s is %v and was %v when the invocation was accepted: it would wait until a build has one of that kind", s.target.Handler, h.Kind(), s.target.Kind)
	}
	return h, nil
}

// execute runs the attempt on a goroutine of its own, and reports whether that
// has ended in time.
func execute(h *replayHost, a *restate.Attempt, handler restate.Handler) (o restate.Outcome, ended bool) {
	outcome, over := make(chan restate.Outcome, 1), make(chan struct{})
	go func() {
		defer close(over)
		restate.Execute(h, a, handler, func(o restate.Outcome) { outcome <- o })
	}()
	late := time.NewTimer(replayPatience)
	defer late.Stop()
	select {
	case <-over:
		return <-outcome, true
	case <-late.C:
		return restate.Outcome{}, false
	}
}

// handlerStack returns the stack of the handler that does not come back.
func handlerStack() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "dormousetest.execute.func") {
			return stack
		}
	}
	return ""
}

// judge says whether all stored commands were issued, and what comes next.
func (s *story) judge(o restate.Outcome, h *replayHost) (Replayed, error) {
	stored, issued := len(s.commands)-1, max(int(o.Failure.CommandIndex), 0)
	r := Replayed{Commands: stored, Next: h.first()}
	switch {
	case o.Kind == restate.OutcomeFailed && o.Failure.Code == replay.CodeMismatch:
		return r, s.stopped(o, "%s", o.Failure.Message)
	case o.Kind == restate.OutcomeFailed && issued < stored:
		return r, s.stopped(o, "the handler fails and %d of %d commands of the journal are left: %s%s",
			stored-issued, stored, o.Failure.Message, o.Failure.Stack)
	case o.Kind == restate.OutcomeFailed && o.Failure.Code == replay.CodeViolation:
		return r, s.stopped(o, "%s", o.Failure.Message)
	case o.Kind == restate.OutcomeFailed && r.Next.Kind == 0:
		r.Next = Step{Kind: StepFail, Err: fmt.Errorf("code %d: %s", o.Failure.Code, o.Failure.Message)}
	case o.Kind == restate.OutcomeEnded && r.Next.Kind == 0:
		r.Next = Step{Kind: StepEnd}
	}
	return r, nil
}

// stopped is the error of a replay that has not come to the end of the journal.
func (s *story) stopped(o restate.Outcome, format string, a ...any) error {
	where := "behind the journal"
	if n := int(o.Failure.CommandIndex); n >= 0 && n < len(s.commands) {
		i := s.commands[n]
		where = fmt.Sprintf("at command %d (entry %d, %v)", n, i, s.entries[i].Type)
	}
	return fmt.Errorf("the code stops %s: "+format, append([]any{where}, a...)...)
}

// stepOf describes a new command.
func stepOf(c journal.Command) Step {
	s := Step{Kind: StepCommand, Command: c.Type().String(), Name: c.EntryName()}
	switch c := c.(type) {
	case *journal.Output:
		s.setResult(c.Result)
	case *journal.SetState:
		s.Name, s.Value = c.Key, c.Value
	case *journal.ClearState:
		s.Name = c.Key
	case *journal.GetLazyState:
		s.Name = c.Key
	case *journal.GetEagerState:
		s.Name = c.Key
	case *journal.GetPromise:
		s.Name = c.Key
	case *journal.PeekPromise:
		s.Name = c.Key
	case *journal.CompletePromise:
		s.Name = c.Key
		s.setResult(c.Result)
	case *journal.Call:
		s.Name, s.Value = targetOf(c.Service, c.Key, c.Handler), c.Parameter
	case *journal.OneWayCall:
		s.Name, s.Value = targetOf(c.Service, c.Key, c.Handler), c.Parameter
	case *journal.SendSignal:
		s.Name = c.Target
		s.setResult(c.Result)
	case *journal.AttachInvocation:
		s.Name = c.Target.InvocationID
	case *journal.CompleteAwakeable:
		s.Name = c.AwakeableID
		s.setResult(c.Result)
	}
	return s
}

func (s *Step) setResult(r journal.Result) {
	if r.Kind == journal.ResultFailure {
		s.Err = restate.ToTerminalError(fmt.Errorf("%s", r.Failure.Message), restate.WithErrorCode(restate.Code(r.Failure.Code)))
		return
	}
	s.Value = r.Value
}

func targetOf(service, key, handler string) string {
	if key == "" {
		return service + "/" + handler
	}
	return service + "/" + key + "/" + handler
}
