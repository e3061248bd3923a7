package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/dormouse-run/dormouse/httpapi"
)

func main() {
	config := httpapi.FlagConfig(flag.CommandLine)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	secret := os.Getenv("WEBHOOK_SECRET")
	if secret == "" {
		fmt.Fprintln(os.Stderr, "webhook: set WEBHOOK_SECRET to the secret that the provider signs with: without one everybody could send events")
		os.Exit(2)
	}
	if err := httpapi.Run(ctx, *config, newWebhook([]byte(secret)), newPayment()); err != nil {
		fmt.Fprintln(os.Stderr, "webhook:", err)
		os.Exit(1)
	}
}
