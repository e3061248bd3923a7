package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dormouse-run/dormouse/examples/kafka/reviewer"
	restate "github.com/dormouse-run/dormouse/objects"
)

// Text is what a review is asked for.
type Text struct {
	Text string `json:"text"`
}

// Review is what came of it.
type Review struct {
	Decision string `json:"decision"`
}

// produce hands a question to Kafka and returns when the broker has it. The
// key is the same in each repetition.
type produce func(ctx context.Context, key string, q reviewer.Question) error

// document makes the object.
type document struct{ produce produce }

// newDocument returns the object Document.
func newDocument(p produce) restate.ServiceDefinition {
	return restate.NewObject("Document").Handler("ask", restate.NewObjectHandler(document{p}.ask))
}

// ask has a text reviewed. A rejection fails it with the reason.
func (d document) ask(ctx restate.ObjectContext, t Text) (Review, error) {
	answer := restate.Awakeable[string](ctx)
	q := reviewer.Question{ID: answer.Id(), Document: restate.Key(ctx), Text: t.Text}
	err := restate.RunVoid(ctx, func(run restate.RunContext) error {
		return d.produce(run, restate.RunKey(run), q)
	}, restate.WithName("produce"), restate.WithMaxRetryInterval(10*time.Second))
	if err != nil {
		return Review{}, err
	}
	decision, err := answer.Result()
	return Review{decision}, err
}

// producer produces with a client, to its default topic. Questions of one
// document share a partition, so they stay in order.
func producer(client *kgo.Client) produce {
	return func(ctx context.Context, key string, q reviewer.Question) error {
		value, err := json.Marshal(q)
		if err != nil {
			return fmt.Errorf("encode the question: %w", err)
		}
		r := &kgo.Record{Key: []byte(q.Document), Value: value, Headers: []kgo.RecordHeader{{Key: "idempotency-key", Value: []byte(key)}}}
		if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
			return fmt.Errorf("produce the question: %w", err)
		}
		return nil
	}
}
