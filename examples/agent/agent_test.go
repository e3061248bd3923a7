package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, main)) }

func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	exampletest.Tell(t)
}

// fake is a model that counts its turns and answers from a function.
type fake struct {
	turns  atomic.Int32
	answer func(ctx context.Context, turn int, last Message) (Message, error)
}

func (f *fake) reply(ctx context.Context, transcript []Message) (Message, error) {
	return f.answer(ctx, int(f.turns.Add(1)), transcript[len(transcript)-1])
}

func send(t *testing.T, rt *actors.Runtime, question string) ingress.SendResponse[string] {
	t.Helper()
	sent, err := ingress.Object[string, string](rt.Client(), "Support", "c", "ask").Send(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func statusOf(t *testing.T, rt *actors.Runtime) Status {
	t.Helper()
	s, err := ingress.Object[restate.Void, Status](rt.Client(), "Support", "c", "status").Request(t.Context(), restate.Void{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func waiting(t *testing.T, rt *actors.Runtime) (id string) {
	t.Helper()
	exampletest.Eventually(t, "a question for a person", func() bool {
		w := statusOf(t, rt).Waiting
		if w != nil {
			id = w.ID
		}
		return w != nil
	})
	return id
}

func TestNeitherModelNorToolIsAskedAgainAfterARestart(t *testing.T) {
	t.Parallel()
	dir, refunds := t.TempDir(), &strings.Builder{}
	model := &fake{answer: func(ctx context.Context, _ int, last Message) (Message, error) {
		return script{}.reply(ctx, []Message{last})
	}}
	s := support{model: model, tools: desk(refunds), patience: time.Hour}
	rt := exampletest.Open(t, dir, s.definition())
	sent := send(t, rt, "refund 17")
	id := waiting(t, rt)
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}

	rt = exampletest.Open(t, dir, s.definition())
	if got := waiting(t, rt); got != id {
		t.Errorf("the person is asked under %s, was under %s", got, id)
	}
	if err := ingress.ResolveAwakeable(t.Context(), rt.Client(), id, "lisa"); err != nil {
		t.Fatal(err)
	}
	answer, err := ingress.InvocationById[string](rt.Client(), sent.Id()).Attach(t.Context())
	if err != nil || answer != "refund: done, approved by lisa" {
		t.Errorf("answered %q, %v", answer, err)
	}
	if n := model.turns.Load(); n != 3 {
		t.Errorf("the model was asked %d times for 3 turns", n)
	}
	if n := strings.Count(refunds.String(), "refund 17"); n != 1 {
		t.Errorf("refunded %d times: %s", n, refunds)
	}
	if s := statusOf(t, rt); s.Waiting != nil || len(s.Transcript) != 6 {
		t.Errorf("status is %+v", s)
	}
}

func TestWhatNobodyApprovesInTimeIsRefused(t *testing.T) {
	t.Parallel()
	refunds := &strings.Builder{}
	s := support{model: script{}, tools: desk(refunds), patience: 10 * time.Millisecond}
	rt := exampletest.Open(t, t.TempDir(), s.definition())
	answer, err := send(t, rt, "refund 17").Attach(t.Context())
	if err != nil || answer != "refund: refused: nobody has approved it in 10ms" || refunds.Len() > 0 {
		t.Errorf("answered %q, %v; refunds: %q", answer, err, refunds)
	}
	if w := statusOf(t, rt).Waiting; w != nil {
		t.Errorf("still asks for %+v", w)
	}
}

func TestACancelEndsTheLoopWhileAPersonOrTheModelThinks(t *testing.T) {
	t.Parallel()
	thinking := make(chan struct{})
	model := &fake{answer: func(ctx context.Context, turn int, last Message) (Message, error) {
		if turn == 2 {
			close(thinking)
			<-ctx.Done()
			return Message{}, ctx.Err()
		}
		return Message{Role: roleModel, Calls: []Call{{"refund", last.Text}}}, nil
	}}
	s := support{model: model, tools: desk(&strings.Builder{}), patience: time.Hour}
	rt := exampletest.Open(t, t.TempDir(), s.definition())
	cancel := func(sent ingress.SendResponse[string]) {
		t.Helper()
		if err := ingress.Cancel(t.Context(), rt.Client(), sent.Id()); err != nil {
			t.Fatal(err)
		}
		_, err := sent.Attach(t.Context())
		if e := restate.AsTerminalError(err); e == nil || e.Code() != 409 {
			t.Errorf("ended with %v", err)
		}
		if s := statusOf(t, rt); s.Waiting != nil || len(s.Transcript) == 0 {
			t.Errorf("status is %+v", s)
		}
	}
	first := send(t, rt, "17")
	waiting(t, rt)
	cancel(first)
	second := send(t, rt, "18")
	exampletest.Receive(t, thinking)
	cancel(second)
}

func TestTheModelHearsOfToolsThatFailAndOfToolsThatAreNot(t *testing.T) {
	t.Parallel()
	model := &fake{answer: func(_ context.Context, turn int, last Message) (Message, error) {
		switch turn {
		case 1:
			return Message{}, errors.New("overloaded") // is repeated
		case 2:
			return Message{Role: roleModel, Calls: []Call{{"broken", ""}, {"missing", ""}}}, nil
		default:
			return Message{Role: roleModel, Text: last.Text}, nil
		}
	}}
	tools := map[string]tool{"broken": {run: func(context.Context, string, string) (string, error) {
		return "", restate.TerminalErrorf("no connection")
	}}}
	rt := exampletest.Open(t, t.TempDir(), support{model: model, tools: tools}.definition())
	answer, err := send(t, rt, "go").Attach(t.Context())
	if err != nil || answer != "missing: there is no such tool" {
		t.Errorf("answered %q, %v", answer, err)
	}
	if s := statusOf(t, rt); s.Transcript[2].Text != "broken: failed: no connection" {
		t.Errorf("the transcript is %+v", s.Transcript)
	}
}

func TestAModelThatComesToNoAnswerIsStopped(t *testing.T) {
	t.Parallel()
	model := &fake{answer: func(context.Context, int, Message) (Message, error) {
		return Message{Role: roleModel, Calls: []Call{{"missing", ""}}}, nil
	}}
	rt := exampletest.Open(t, t.TempDir(), support{model: model}.definition())
	if _, err := send(t, rt, "go").Attach(t.Context()); !restate.IsTerminalError(err) || model.turns.Load() != maxTurns {
		t.Errorf("ended with %v after %d turns", err, model.turns.Load())
	}
}
