package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	restate "github.com/dormouse-run/dormouse/objects"
)

// objects are the handlers and what they count: handlers that have started to
// wait, handlers that have finished, and results of Run that one has seen.
type objects struct {
	callback      string
	http          *http.Client
	started, done atomic.Int64
	runs          atomic.Int64
}

func newObjects(callback string) *objects {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}
	return &objects{callback: callback, http: &http.Client{Transport: transport}}
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
			o.runs.Add(1)
			d += one
		}
		return d, nil
	}))
}

func (o *objects) waiter() restate.ServiceDefinition {
	return restate.NewObject("Waiter").
		Handler("wait", restate.NewObjectHandler(o.wait)).
		Handler("hold", restate.NewObjectHandler(o.hold)).
		Handler("pass", restate.NewObjectHandler(o.pass))
}

func (o *objects) wait(ctx restate.ObjectContext, token string) (string, error) {
	o.started.Add(1)
	a := restate.Awakeable[string](ctx)
	if err := restate.RunVoid(ctx, func(restate.RunContext) error { return o.call(token, a.Id()) }); err != nil {
		return "", err
	}
	return o.answer(a)
}

// hold tells nobody the id of its awakeable, which follows from that of the
// invocation.
func (o *objects) hold(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return o.answer(restate.Awakeable[string](ctx))
}

func (o *objects) pass(restate.ObjectContext, restate.Void) (restate.Void, error) {
	o.done.Add(1)
	return restate.Void{}, nil
}

func (o *objects) answer(a restate.AwakeableFuture[string]) (string, error) {
	v, err := a.Result()
	if err == nil {
		o.done.Add(1)
	}
	return v, err
}

// call tells whoever resolves the awakeable its id.
func (o *objects) call(token, id string) error {
	r, err := o.http.Post(o.callback, "text/plain", strings.NewReader(token+" "+id))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}
