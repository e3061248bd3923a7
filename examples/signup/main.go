package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/dormouse-run/dormouse/httpapi"
)

func main() {
	config := httpapi.FlagConfig(flag.CommandLine)
	var s signup
	flag.DurationVar(&s.remind, "remind", 12*time.Hour, "when to remind of the link")
	flag.DurationVar(&s.expire, "expire", 24*time.Hour, "when the link ends")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := httpapi.Run(ctx, *config, s.definition(), newMailbox()); err != nil {
		fmt.Fprintln(os.Stderr, "signup:", err)
		os.Exit(1)
	}
}
