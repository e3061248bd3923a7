// Command migrated is a program for Restate's Go SDK 1.2. It knows nothing of
// Dormouse. The tests of this module run it on Dormouse, and compile its text
// with the original SDK.
//
// It serves its services, is its own client, prints what it got, and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/logging"
	"github.com/restatedev/sdk-go/server"
)

func main() {
	url := flag.String("ingress", "http://127.0.0.1:8080", "`URL` of the ingress")
	flag.Parse()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	if err := run(ctx, *url); err != nil {
		log.Fatal(err)
	}
}

// run serves until the client has what it wants.
func run(ctx context.Context, url string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- endpoint().Start(ctx, "127.0.0.1:0") }()
	if err := reachable(ctx, url, served); err != nil {
		return err
	}
	err := visit(ctx, url)
	stop()
	return errors.Join(err, <-served)
}

func endpoint() *server.Restate {
	r := server.NewRestate().WithLogger(quiet{slog.NewTextHandler(os.Stderr, nil)}, true)
	r.Bind(restate.Reflect(stock{})).Bind(shop()).Bind(restate.Reflect(Delivery{}))
	for _, definition := range built() {
		r.Bind(definition)
	}
	return r
}

// quiet passes on what handlers log, and warnings.
type quiet struct{ slog.Handler }

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if lc := logging.LogContextFrom(ctx); r.Level < slog.LevelWarn && (lc == nil || lc.Source != logging.LogSourceUser) {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

// reachable waits until the ingress answers.
func reachable(ctx context.Context, url string, served <-chan error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if resp, err := http.Get(url + "/restate/health"); err == nil {
			return resp.Body.Close()
		}
		select {
		case err := <-served:
			return fmt.Errorf("the server has ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
