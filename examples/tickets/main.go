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
	hold := flag.Duration("hold", 10*time.Minute, "how long a cart holds a seat")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := shop{hold: *hold, pay: printPayment(os.Stdout)}
	if err := httpapi.Run(ctx, *config, s.seat(), s.cart()); err != nil {
		fmt.Fprintln(os.Stderr, "tickets:", err)
		os.Exit(1)
	}
}
