package reviewer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Question is a record of the topic.
type Question struct {
	// ID is the awakeable that waits for the answer.
	ID       string `json:"id"`
	Document string `json:"document"`
	Text     string `json:"text"`
}

// Config says what a reviewer reads and whom it answers. All fields but Logger
// are needed.
type Config struct {
	Brokers      []string
	Topic, Group string
	// Ingress is the URL of the program that asks.
	Ingress string
	// Decide returns a decision, or an error whose text is the reason of a
	// rejection. It may be called more than once for one question.
	Decide func(Question) (decision string, err error)
	// Logger gets a line for each answer; slog.Default() when nil.
	Logger *slog.Logger
}

// Run reads and answers until ctx is done, and returns nil then.
func Run(ctx context.Context, c Config) error {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers...), kgo.ConsumeTopics(c.Topic), kgo.ConsumerGroup(c.Group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll())
	if err != nil {
		return fmt.Errorf("make the Kafka client: %w", err)
	}
	defer client.CloseAllowingRebalance()
	for ctx.Err() == nil {
		if err := c.poll(ctx, client); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// poll answers what has arrived, and commits.
func (c Config) poll(ctx context.Context, client *kgo.Client) error {
	// A few at a time: a rebalance waits until they are answered.
	fetches := client.PollRecords(ctx, 100)
	defer client.AllowRebalance()
	fetches.EachError(func(topic string, partition int32, err error) {
		if !errors.Is(err, context.Canceled) {
			c.Logger.Warn("fetch", "topic", topic, "partition", partition, "error", err)
		}
	})
	for _, record := range fetches.Records() {
		var q Question
		if err := json.Unmarshal(record.Value, &q); err != nil || q.ID == "" {
			// To stop here would stop all questions behind it as well.
			c.Logger.Error("a record is no question and is left out", "partition", record.Partition, "offset", record.Offset, "error", err)
			continue
		}
		if err := c.answer(ctx, q); err != nil {
			return err
		}
	}
	if err := client.CommitRecords(ctx, fetches.Records()...); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// answer decides and tells, as often as it takes. The error is that of ctx.
func (c Config) answer(ctx context.Context, q Question) error {
	decision, reason := c.Decide(q)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		outcome, err := c.post(ctx, q.ID, decision, reason)
		if err == nil {
			c.Logger.Info("answered", "document", q.Document, "id", q.ID, "outcome", outcome)
			return nil
		}
		c.Logger.Warn("not answered yet", "document", q.Document, "id", q.ID, "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
