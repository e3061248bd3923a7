package main

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Names of state values.
const (
	stateTranscript = "transcript"
	stateWaiting    = "waiting"
)

// maxTurns bounds the loop: a model may want tools for ever.
const maxTurns = 10

// Waiting is what a person is asked to approve.
type Waiting struct {
	ID    string `json:"id"`
	Tool  string `json:"tool"`
	Input string `json:"input"`
}

// Status is how a conversation stands.
type Status struct {
	Waiting    *Waiting  `json:"waiting"`
	Transcript []Message `json:"transcript"`
}

// support makes the object.
type support struct {
	model model
	tools map[string]tool
	// patience is how long a person may take to approve.
	patience time.Duration
}

// definition returns the object Support.
func (s support) definition() restate.ServiceDefinition {
	return restate.NewObject("Support").
		Handler("ask", restate.NewObjectHandler(s.ask)).
		Handler("status", restate.NewObjectSharedHandler(status))
}

// ask answers a question, with as many turns of the model as it takes.
func (s support) ask(ctx restate.ObjectContext, question string) (string, error) {
	transcript, err := restate.Get[[]Message](ctx, stateTranscript)
	if err != nil {
		return "", err
	}
	transcript = append(transcript, Message{Role: roleUser, Text: question})
	for range maxTurns {
		restate.Set(ctx, stateTranscript, transcript)
		reply, err := restate.Run(ctx, func(run restate.RunContext) (Message, error) {
			return s.model.reply(run, transcript)
		}, restate.WithName("model"), restate.WithMaxRetryDuration(10*time.Minute))
		if err != nil {
			return "", err
		}
		transcript = append(transcript, reply)
		if len(reply.Calls) == 0 {
			restate.Set(ctx, stateTranscript, transcript)
			return reply.Text, nil
		}
		for _, c := range reply.Calls {
			result, err := s.use(ctx, c)
			if err != nil {
				return "", err
			}
			transcript = append(transcript, Message{Role: roleTool, Text: c.Tool + ": " + result})
		}
	}
	return "", restate.TerminalErrorf("the model has come to no answer in %d turns", maxTurns)
}

// use runs one tool, when nobody objects. What goes wrong with it is a result
// for the model; the error is a cancellation.
func (s support) use(ctx restate.ObjectContext, c Call) (string, restate.TerminalError) {
	t, ok := s.tools[c.Tool]
	if !ok {
		return "there is no such tool", nil
	}
	by := ""
	if t.risky {
		name, err := s.approval(ctx, c)
		switch {
		case err == nil:
			by = ", approved by " + name
		case restate.IsCancelled(err):
			return "", err
		default:
			return "refused: " + err.Message(), nil
		}
	}
	result, err := restate.Run(ctx, func(run restate.RunContext) (string, error) {
		return t.run(run, restate.RunKey(run), c.Input)
	}, restate.WithName(c.Tool), restate.WithMaxRetryAttempts(5))
	switch {
	case err == nil:
		return result + by, nil
	case restate.IsCancelled(err):
		return "", err
	default:
		return "failed: " + err.Message(), nil
	}
}

// approval asks a person and returns the name of who has approved. A refusal is
// an error, and so is silence.
func (s support) approval(ctx restate.ObjectContext, c Call) (string, restate.TerminalError) {
	answer := restate.Awakeable[string](ctx)
	restate.Set(ctx, stateWaiting, Waiting{ID: answer.Id(), Tool: c.Tool, Input: c.Input})
	defer restate.Clear(ctx, stateWaiting)
	late := restate.After(ctx, s.patience, restate.WithName("patience"))
	first, err := restate.WaitFirst(ctx, answer, late)
	switch {
	case err != nil:
		return "", err
	case first == late:
		return "", restate.TerminalErrorf("nobody has approved it in %v", s.patience)
	default:
		return answer.Result()
	}
}

// status answers at any time, also while a question is worked on.
func status(ctx restate.ObjectSharedContext, _ restate.Void) (Status, error) {
	waiting, err := restate.Get[*Waiting](ctx, stateWaiting)
	if err != nil {
		return Status{}, err
	}
	transcript, err := restate.Get[[]Message](ctx, stateTranscript)
	return Status{waiting, transcript}, err
}
