package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

func main() {
	config := httpapi.FlagConfig(flag.CommandLine)
	inactivity := flag.Duration("inactivity", restate.DefaultSettings().InactivityTimeout,
		"how long a waiting handler stays in memory; 0 suspends at every wait")
	flag.Parse()
	config.Runtime.InactivityTimeout = *inactivity
	if *inactivity == 0 {
		config.Runtime.InactivityTimeout = -1 // 0 is the default there
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := httpapi.Run(ctx, *config, services.Definitions()...); err != nil {
		fmt.Fprintln(os.Stderr, "testservices:", err)
		os.Exit(1)
	}
}
