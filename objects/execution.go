package objects

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/replay"
)

// execution is one attempt of a handler, and the context that the handler gets.
// Fields without a remark belong to the handler's goroutine.
type execution struct {
	host    Host
	attempt *Attempt
	input   *journal.Input
	// story is nil when the journal could not be read, else it points to pass.
	story *replay.Attempt
	pass  replay.Attempt

	// runner is the number of the handler's goroutine, 0 when nobody has started
	// it. finish is called once with the outcome, and settled says that it was.
	runner  uintptr
	finish  func(Outcome)
	settled atomic.Bool
	// ended stops every operation: the handler is being unwound or is over.
	// Any goroutine may read it.
	ended atomic.Bool
	// reported is set when an operation that came too late was logged.
	reported atomic.Bool
	// entered is the operation that is under way. Any goroutine may use it.
	entered atomic.Uint32
	// stranded is set when another goroutine than the handler's has failed the
	// attempt.
	stranded atomic.Pointer[Outcome]
	// outcome is decided when decided is true.
	outcome Outcome
	decided bool
	over    over

	// mock is set for the context of a test, which no runtime has started.
	mock *mockHost

	state stateView
	// callees are the completion ids under which the ids of called invocations
	// arrive, of calls that no cancellation has reached yet.
	callees []uint32
	// cancels counts the cancellations delivered so far, fresh says that the
	// attempt has appended a command.
	cancels  int
	fresh    bool
	closures closures
	random   *drawn

	// awaiting is what the current wait waits for; describe tells it to the
	// host.
	awaiting []journal.NotificationID
	// counted is what the host was last told to be unread.
	counted  uint32
	describe func() (*journal.Future, journal.Allocated)

	// replaying may be read by any goroutine.
	replaying   atomic.Bool
	requestOnce sync.Once
	request     *Request
	loggerOnce  sync.Once
	logger      *slog.Logger
}

// newExecution reads the journal of a. Its error says that it is not one.
func newExecution(h Host, a *Attempt, done func(Outcome)) (*execution, error) {
	ex := &execution{host: h, attempt: a, finish: done}
	input, err := ex.pass.Begin(a.Journal, a.Allocated)
	if err != nil {
		return ex, err
	}
	ex.story, ex.input, ex.counted = &ex.pass, input, ex.pass.Unread()
	h.Unread(ex.counted)
	ex.replaying.Store(ex.pass.Replaying())
	ex.state.init(a)
	return ex, nil
}

// issue writes the command of an operation, or finds it in the journal, and
// returns the one that counts. opaque leaves its payload uncompared.
func (ex *execution) issue(c journal.Command, opaque bool) journal.Command {
	if stored := ex.match(c, opaque); stored != nil {
		return stored
	}
	ex.append(c)
	return c
}

// match returns the stored command that c repeats, nil when c is new. A new
// command must be appended next.
func (ex *execution) match(c journal.Command, opaque bool) journal.Command {
	stored, err := ex.story.Issue(c, opaque)
	if err != nil {
		ex.fail(err)
	}
	if stored != nil && !ex.story.Replaying() {
		ex.replaying.Store(false)
	}
	return stored
}

func (ex *execution) append(c journal.Command) {
	ex.fresh = true
	if ex.host.Append(c, ex.story.Allocated()) == Unwind {
		ex.unwind(Outcome{Kind: OutcomeUnwound})
	}
}

// fail ends the attempt with a retryable error at the last command. It does not
// return.
func (ex *execution) fail(err error) { ex.unwind(ex.failed(err)) }

// failed is the outcome of an attempt that ends with err.
func (ex *execution) failed(err error) Outcome {
	f := AttemptFailure{
		Code: uint32(codeOf(err)), Message: clip(err.Error()),
		CommandIndex: -1, RetryAfter: retryAfterOf(err),
	}
	if ex.story != nil {
		last, index := ex.story.Last()
		f.CommandIndex, f.CommandType, f.CommandName = int32(index), last.Type(), last.EntryName()
	}
	if m, ok := errors.AsType[*replay.Mismatch](err); ok {
		f.Code = replay.CodeMismatch
		f.CommandIndex, f.CommandType, f.CommandName = int32(m.Index), m.Stored.Type, m.Stored.Name
	}
	return Outcome{Kind: OutcomeFailed, Failure: f}
}

// endWith ends the invocation with a terminal error, for an operation that has
// no other way to report it. It does not return.
func (ex *execution) endWith(t TerminalError) {
	if !ex.onRunner() {
		ex.unwind(Outcome{Kind: OutcomeFailed}) // not through here: nothing may be appended
	}
	ex.issue(&journal.Output{Result: failedWith(t)}, false)
	ex.unwind(Outcome{Kind: OutcomeEnded})
}

func failedWith(t TerminalError) journal.Result {
	return journal.Result{Kind: journal.ResultFailure, Failure: failureOf(t)}
}
