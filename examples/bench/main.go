package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// day is the runtime's own default.
const day = 24 * time.Hour

// config is what the command line says.
type config struct {
	dir, ingress, admin, stats, callback string
	retention                            time.Duration
}

func parse(args []string) (config, error) {
	var c config
	fs := command.Flags("bench")
	fs.StringVar(&c.dir, "data", "data/run-ours", "data `directory`")
	fs.StringVar(&c.ingress, "ingress", "127.0.0.1:8080", "`address` of the ingress")
	fs.StringVar(&c.admin, "admin", "127.0.0.1:9070", "`address` of the admin port")
	fs.StringVar(&c.stats, "stats", "127.0.0.1:9071", "`address` of GET /stats")
	fs.StringVar(&c.callback, "cb", "http://127.0.0.1:28900/cb", "`URL` that Waiter posts to")
	fs.DurationVar(&c.retention, "retention", day, "how long completed invocations are kept")
	return c, command.Parse(fs, args)
}

func main() {
	c, err := parse(os.Args[1:])
	command.Exit("bench", err)
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	ctx, stop := command.Context()
	defer stop()
	command.Exit("bench", c.run(ctx))
}

// run serves until ctx is done. It opens by hand what httpapi.Run opens, because
// the runtime itself tells what it has counted.
func (c config) run(ctx context.Context) error {
	store, err := persistence.Open(c.dir, persistence.Options{})
	if err != nil {
		return fmt.Errorf("open %s: %w", c.dir, err)
	}
	o := newObjects(c.callback)
	services := []restate.ServiceDefinition{o.counter(), o.steps(), o.waiter()}
	settings := restate.DefaultSettings()
	settings.JournalRetention, settings.IdempotencyRetention = c.retention, c.retention
	rt, err := actors.Open(ctx, actors.Options{Store: store, Services: services, Defaults: &settings})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return errors.Join(c.serve(ctx, rt, &stats{objects: o, runtime: rt}), rt.Close(), store.Close())
}

func (c config) serve(ctx context.Context, rt *actors.Runtime, s http.Handler) error {
	server, err := httpapi.New(rt, httpapi.Options{Ingress: c.ingress, Admin: c.admin})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.stats)
	if err != nil {
		return err
	}
	figures := &http.Server{Handler: s}
	ended := make(chan error, 1)
	go func() { ended <- figures.Serve(l) }()
	err = errors.Join(server.Serve(ctx), figures.Close())
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
