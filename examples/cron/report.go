package main

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

const statePages = "pages"

// Pages is what a job has written.
type Pages struct {
	Written int       `json:"written"`
	Last    time.Time `json:"last"`
}

// newReport returns the object Report, the work of the jobs.
func newReport() restate.ServiceDefinition {
	return restate.NewObject("Report").
		Handler("write", restate.NewObjectHandler(write, restate.WithIngressPrivate(true))).
		Handler("read", restate.NewObjectSharedHandler(read))
}

// write is done once for each tick.
func write(ctx restate.ObjectContext, t Tick) (restate.Void, error) {
	p, err := restate.Get[Pages](ctx, statePages)
	if err != nil {
		return restate.Void{}, err
	}
	restate.Set(ctx, statePages, Pages{p.Written + 1, t.At})
	return restate.Void{}, nil
}

func read(ctx restate.ObjectSharedContext, _ restate.Void) (Pages, error) {
	return restate.Get[Pages](ctx, statePages)
}
