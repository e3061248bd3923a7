package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Who says a message.
const (
	roleUser  = "user"
	roleModel = "model"
	roleTool  = "tool"
)

// Message is a line of a transcript.
type Message struct {
	Role string `json:"role"`
	Text string `json:"text,omitempty"`
	// Calls are the tools that the model wants to use.
	Calls []Call `json:"calls,omitempty"`
}

// Call is one use of a tool.
type Call struct {
	Tool  string `json:"tool"`
	Input string `json:"input"`
}

// model is a language model. It may be slow, fail, and answer differently each
// time.
type model interface {
	reply(ctx context.Context, transcript []Message) (Message, error)
}

// tool is something that the model may use.
type tool struct {
	// risky asks a person first.
	risky bool
	// run does it. It may be repeated with the same key. A terminal error tells
	// the model that it cannot be done.
	run func(ctx context.Context, key, input string) (string, error)
}

// script is a model that knows one thing: how to refund an order.
type script struct{}

func (script) reply(_ context.Context, transcript []Message) (Message, error) {
	last := transcript[len(transcript)-1]
	order := regexp.MustCompile(`\d+`)
	switch {
	case last.Role == roleTool && strings.HasPrefix(last.Text, "lookup: "):
		return Message{Role: roleModel, Calls: []Call{{"refund", order.FindString(last.Text)}}}, nil
	case last.Role == roleTool:
		return Message{Role: roleModel, Text: last.Text}, nil
	case order.MatchString(last.Text):
		return Message{Role: roleModel, Calls: []Call{{"lookup", order.FindString(last.Text)}}}, nil
	default:
		return Message{Role: roleModel, Text: "which order?"}, nil
	}
}

// desk is the tools of the script. It prints what it does.
func desk(out io.Writer) map[string]tool {
	return map[string]tool{
		"lookup": {run: func(_ context.Context, _, order string) (string, error) {
			return "order " + order + " was delivered", nil
		}},
		"refund": {risky: true, run: func(_ context.Context, key, order string) (string, error) {
			_, err := fmt.Fprintf(out, "refund %s, key %s\n", order, key)
			return "done", err
		}},
	}
}
