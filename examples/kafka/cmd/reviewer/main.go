// Command reviewer reads questions from Kafka and answers them over HTTP: it
// approves what has a price. See the package comment of examples/kafka.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/dormouse-run/dormouse/examples/kafka/reviewer"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "`addresses` of Kafka brokers, with commas in between")
	c := reviewer.Config{Decide: reviewer.WithPrice}
	flag.StringVar(&c.Topic, "topic", "questions", "`topic` of the questions")
	flag.StringVar(&c.Group, "group", "reviewers", "consumer `group`")
	flag.StringVar(&c.Ingress, "ingress", "http://localhost:8080", "`URL` of the program that asks")
	flag.Parse()
	c.Brokers = strings.Split(*brokers, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := reviewer.Run(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "reviewer:", err)
		os.Exit(1)
	}
}
