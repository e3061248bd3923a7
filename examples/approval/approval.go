package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Names of state values.
const (
	stateWaiting = "waiting"
	stateLast    = "last"
)

// Question is what a person is asked.
type Question struct {
	What string `json:"what"`
	// Callback is a URL that gets a Notice, empty for none.
	Callback string `json:"callback,omitempty"`
}

// Notice tells an approver where to send the decision.
type Notice struct {
	ID   string `json:"id"`
	What string `json:"what"`
	Who  string `json:"who"`
}

// Status is what is going on with a person.
type Status struct {
	// Waiting is the id of the awakeable that is open, nil when none is.
	Waiting *string `json:"waiting"`
	// Last is the last decision, empty when there was none.
	Last string `json:"last"`
}

// approver makes the object. Notices go to out, and over client to callbacks.
type approver struct {
	out    io.Writer
	client *http.Client
}

// definition returns the object Approval.
func (a *approver) definition() restate.ServiceDefinition {
	return restate.NewObject("Approval").
		Handler("request", restate.NewObjectHandler(a.request)).
		Handler("status", restate.NewObjectSharedHandler(status))
}

// request asks the person of the key, waits, and returns the decision. A
// rejection fails it with the reason.
func (a *approver) request(ctx restate.ObjectContext, q Question) (string, error) {
	answer := restate.Awakeable[string](ctx)
	restate.Set(ctx, stateWaiting, answer.Id())

	notice := Notice{ID: answer.Id(), What: q.What, Who: restate.Key(ctx)}
	err := restate.RunVoid(ctx, func(run restate.RunContext) error { return a.handOut(run, q.Callback, notice) },
		restate.WithName("hand out"),
		restate.WithInitialRetryInterval(200*time.Millisecond),
		restate.WithMaxRetryInterval(30*time.Second))
	if err != nil {
		restate.Clear(ctx, stateWaiting)
		return "", err
	}

	decision, err := answer.Result()
	restate.Clear(ctx, stateWaiting)
	switch {
	case err == nil:
		restate.Set(ctx, stateLast, decision)
	case !restate.IsCancelled(err):
		restate.Set(ctx, stateLast, "rejected: "+err.Message())
	}
	return decision, err
}

// status answers at any time, also while a request waits.
func status(ctx restate.ObjectSharedContext, _ restate.Void) (Status, error) {
	waiting, err := restate.Get[*string](ctx, stateWaiting)
	if err != nil {
		return Status{}, err
	}
	last, err := restate.Get[string](ctx, stateLast)
	return Status{Waiting: waiting, Last: last}, err
}

// handOut tells the approver. It may run more than once, with the same notice
// and the same key.
func (a *approver) handOut(run restate.RunContext, callback string, n Notice) error {
	if _, err := fmt.Fprintf(a.out, "%s is asked for %q: %s\n", n.Who, n.What, n.ID); err != nil {
		return fmt.Errorf("print the notice: %w", err)
	}
	if callback == "" {
		return nil
	}
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode the notice: %w", err)
	}
	post, err := http.NewRequestWithContext(run, http.MethodPost, callback, bytes.NewReader(body))
	if err != nil {
		// Trying again does not mend a URL.
		return restate.TerminalErrorf("callback %q: %v", callback, err)
	}
	post.Header.Set("Content-Type", "application/json")
	post.Header.Set("Idempotency-Key", restate.RunKey(run))
	resp, err := a.client.Do(post)
	if err != nil {
		return fmt.Errorf("send the notice: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("send the notice: %s answered %s", callback, resp.Status)
	}
	return nil
}
