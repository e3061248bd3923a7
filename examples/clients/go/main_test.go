package client

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	"github.com/dormouse-run/dormouse/examples/testservices/services"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/restatedev/sdk-go/ingress"
)

// patience is how long a test waits for something that should come at once.
const patience = time.Minute

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, serve)) }

// serve is the program testservices.
func serve() {
	config := httpapi.FlagConfig(flag.CommandLine)
	inactivity := flag.Duration("inactivity", 0, "how long a waiting handler stays in memory")
	flag.Parse()
	config.Runtime.InactivityTimeout = *inactivity
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := httpapi.Run(ctx, *config, services.Definitions()...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// world is a running server and the client of it.
type world struct {
	t       *testing.T
	ctx     context.Context
	dir     string
	flags   []string
	program *exampletest.Program
	client  *ingress.Client
}

// inModes runs a test against a server that keeps waiting handlers in memory, and
// against one that suspends them at every wait.
func inModes(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for name, flags := range map[string][]string{"default": nil, "suspend": {"-inactivity", "-1ns"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			w := &world{t: t, ctx: ctx, dir: t.TempDir(), flags: flags}
			w.program = exampletest.Start(t, w.dir, flags...)
			w.client = ingress.NewClient(w.program.Ingress)
			test(t, w)
		})
	}
}

// kill kills the server like a power cut and starts the next one at its address.
func (w *world) kill() {
	w.t.Helper()
	w.program.Kill()
	at := w.program.Ingress[len("http://"):]
	w.program = exampletest.Start(w.t, w.dir, append(w.flags[:len(w.flags):len(w.flags)], "-ingress", at)...)
}

// must returns the value of a request that has to succeed.
func must[T any](t *testing.T, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// equal fails the test unless the values are equal.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
