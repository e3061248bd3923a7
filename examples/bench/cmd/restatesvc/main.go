// Command restatesvc hosts the objects of the workloads behind a Restate server,
// with Restate's Go SDK.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/server"
)

func main() {
	fs := command.Flags("restatesvc")
	addr := fs.String("addr", "127.0.0.1:28581", "`address` that the Restate server calls")
	stats := fs.String("stats", "127.0.0.1:28582", "`address` of GET /stats")
	callback := fs.String("cb", "http://127.0.0.1:28900/cb", "`URL` that the callback of wait is posted to")
	command.Exit("restatesvc", command.Parse(fs, os.Args[1:]))
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	command.Exit("restatesvc", run(*addr, *stats, *callback))
}

func run(addr, stats, callback string) error {
	o := &objects{
		callback: callback,
		http:     &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}},
	}
	ended := make(chan error, 2)
	go func() { ended <- http.ListenAndServe(stats, http.HandlerFunc(o.stats)) }()
	go func() {
		s := server.NewRestate().Bind(o.counter()).Bind(o.steps()).Bind(o.waiter())
		ended <- s.Start(context.Background(), addr)
	}()
	return <-ended
}

// objects are the handlers and what they count.
type objects struct {
	callback      string
	http          *http.Client
	done, started atomic.Int64
}

func (o *objects) stats(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `{"done":%d,"started":%d}`, o.done.Load(), o.started.Load())
}

func (o *objects) counter() restate.ServiceDefinition {
	return restate.NewObject("Counter").Handler("add", restate.NewObjectHandler(func(ctx restate.ObjectContext, d int) (int, error) {
		n, err := restate.Get[int](ctx, "n")
		if err != nil {
			return 0, err
		}
		restate.Set(ctx, "n", n+d)
		o.done.Add(1)
		return n + d, nil
	}))
}

func (o *objects) steps() restate.ServiceDefinition {
	return restate.NewObject("Steps").Handler("run10", restate.NewObjectHandler(func(ctx restate.ObjectContext, d int) (int, error) {
		for range 10 {
			one, err := restate.Run(ctx, func(restate.RunContext) (int, error) { return 1, nil })
			if err != nil {
				return 0, err
			}
			d += one
		}
		return d, nil
	}))
}

func (o *objects) waiter() restate.ServiceDefinition {
	return restate.NewObject("Waiter").Handler("wait", restate.NewObjectHandler(func(ctx restate.ObjectContext, token string) (string, error) {
		o.started.Add(1)
		a := restate.Awakeable[string](ctx)
		if _, err := restate.Run(ctx, func(restate.RunContext) (restate.Void, error) {
			return restate.Void{}, o.call(token, a.Id())
		}); err != nil {
			return "", err
		}
		v, err := a.Result()
		if err != nil {
			return "", err
		}
		o.done.Add(1)
		return v, nil
	}))
}

func (o *objects) call(token, id string) error {
	r, err := o.http.Post(o.callback, "text/plain", strings.NewReader(token+" "+id))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	return r.Body.Close()
}
