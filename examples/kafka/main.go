package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dormouse-run/dormouse/httpapi"
)

func main() {
	config := httpapi.FlagConfig(flag.CommandLine)
	brokers := flag.String("brokers", "localhost:9092", "`addresses` of Kafka brokers, with commas in between")
	topic := flag.String("topic", "questions", "`topic` of the questions")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *config, strings.Split(*brokers, ","), *topic); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, config httpapi.Config, brokers []string, topic string) error {
	// The client waits for all replicas by default. What it cannot deliver in a
	// while fails the Run, which is repeated and can be seen.
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic),
		kgo.AllowAutoTopicCreation(), kgo.RecordDeliveryTimeout(10*time.Second))
	if err != nil {
		return fmt.Errorf("make the Kafka client: %w", err)
	}
	defer client.Close()
	return httpapi.Run(ctx, config, newDocument(producer(client)))
}
