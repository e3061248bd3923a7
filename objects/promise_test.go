package objects

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// promises answers the commands of promises as an engine does.
func promises(e *engine) bool {
	values := map[string]journal.Result{"given": journal.ValueOf([]byte(`"text"`))}
	moved := false
	answer := func(t journal.Type, completion uint32, r journal.Result) {
		if id := journal.CompletionID(completion); !e.answered(id) {
			e.arrive(t, id, r)
			moved = true
		}
	}
	commands := e.commands()
	for _, c := range commands {
		switch c := c.(type) {
		case *journal.CompletePromise:
			if _, done := values[c.Key]; done {
				answer(journal.TypeCompletePromiseCompletion, c.Completion, journal.FailureOf(409, "completed before"))
				continue
			}
			values[c.Key] = c.Result
			answer(journal.TypeCompletePromiseCompletion, c.Completion, journal.VoidResult())
		case *journal.PeekPromise:
			r, done := values[c.Key]
			if !done {
				r = journal.VoidResult()
			}
			answer(journal.TypePeekPromiseCompletion, c.Completion, r)
		}
	}
	for _, c := range commands {
		if c, ok := c.(*journal.GetPromise); ok {
			if r, done := values[c.Key]; done {
				answer(journal.TypeGetPromiseCompletion, c.Completion, r)
			}
		}
	}
	return moved
}

// TestPromisesAreCompletedOnceAndReadRepeatedly, in memory and with a suspension
// at every wait.
func TestPromisesAreCompletedOnceAndReadRepeatedly(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		return NewWorkflowHandler(func(ctx WorkflowContext, _ string) (string, error) {
			p, q := Promise[int](ctx, "p"), Promise[int](ctx, "q")
			open, err := p.Peek()
			if open != 0 || err != nil {
				t.Errorf("an open promise is %d, %v", open, err)
			}
			if err := p.Resolve(7); err != nil {
				t.Error(err)
			}
			if err := p.Reject(errors.New("no")); err == nil || err.Code() != 409 {
				t.Errorf("a second completion gives %v", err)
			}
			if err := q.Reject(ToTerminalError(errors.New("no"), WithErrorCode(418), WithMetadata("k", "v"))); err != nil {
				t.Error(err)
			}
			first, err := WaitFirst(ctx, q, p)
			if first != p && first != q || err != nil {
				t.Errorf("first is %v, %v", first, err)
			}
			var told []string
			for range 2 {
				a, err1 := p.Result()
				b, err2 := p.Peek()
				_, err3 := q.Result()
				_, err4 := q.Peek()
				told = append(told, fmt.Sprint(a, err1 == nil, b, err2 == nil, err3.Code(), err3.Metadata().Get("k"), err4.Code()))
			}
			return strings.Join(told, ", "), nil
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); strings.Count(string(got.Value), "418") != 4 || strings.Count(string(got.Value), "7 true 7 true") != 2 {
			t.Errorf("%q, outcomes %+v", got.Value, e.outcomes)
		}
	}, h, promises)
}

// TestAPromiseThatDoesNotDecodeIsTerminal400 and names itself and the type.
func TestAPromiseThatDoesNotDecodeIsTerminal400(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewWorkflowHandler(func(ctx WorkflowContext, _ string) (Void, error) {
		p := Promise[int](ctx, "given")
		_, read := p.Result()
		_, peeked := p.Peek()
		for _, err := range []TerminalError{read, peeked} {
			if err == nil || err.Code() != 400 || !strings.Contains(err.Message(), `promise "given" as int`) {
				t.Errorf("got %v", err)
			}
		}
		return Void{}, nil
	}))
	e.world = promises
	e.finish(0)
}

// TestAPromiseWithoutANameIsTerminal400 wherever it is used, and writes nothing.
func TestAPromiseWithoutANameIsTerminal400(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", strings.Repeat("x", 256), "\xff"} {
		e := newEngine(t, NewWorkflowHandler(func(ctx WorkflowContext, _ string) (Void, error) {
			p := Promise[int](ctx, name)
			_, read := p.Result()
			_, peeked := p.Peek()
			for _, err := range []TerminalError{read, peeked, p.Resolve(1), p.Reject(nil)} {
				if err == nil || err.Code() != 400 {
					t.Errorf("%q: %v", name, err)
				}
			}
			return Void{}, nil
		}))
		if e.finish(0); len(e.commands()) != 1 {
			t.Errorf("%q: commands %+v", name, e.commands())
		}
	}
}
