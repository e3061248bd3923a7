package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/objects"
)

// vaults are what the directories are filled with.
func vaults() []objects.ServiceDefinition {
	vault := objects.NewObject("Vault").
		Handler("add", objects.NewObjectHandler(func(ctx objects.ObjectContext, n int) (int, error) {
			old, err := objects.Get[int](ctx, "n")
			objects.Set(ctx, "n", old+n)
			return old + n, err
		})).
		Handler("get", objects.NewObjectSharedHandler(func(ctx objects.ObjectSharedContext, _ objects.Void) (int, error) {
			return objects.Get[int](ctx, "n")
		})).
		Handler("put", objects.NewObjectHandler(func(ctx objects.ObjectContext, size int) (objects.Void, error) {
			objects.Set(ctx, "large", filler(size))
			return objects.Void{}, nil
		})).
		Handler("sum", objects.NewObjectSharedHandler(func(ctx objects.ObjectSharedContext, _ objects.Void) (uint32, error) {
			text, err := objects.Get[string](ctx, "large")
			return crc32.ChecksumIEEE([]byte(text)), err
		})).
		Handler("ask", objects.NewObjectHandler(func(ctx objects.ObjectContext, size int) (string, error) {
			a := objects.Awakeable[string](ctx)
			text, err := objects.Run(ctx, func(objects.RunContext) (string, error) { return filler(size), nil })
			if err != nil {
				return "", err
			}
			answer, err := a.Result()
			return fmt.Sprintf("%s %08x", answer, crc32.ChecksumIEEE([]byte(text))), err
		})).
		Handler("nap", objects.NewObjectHandler(func(ctx objects.ObjectContext, hours int) (int, error) {
			return hours, objects.Sleep(ctx, time.Duration(hours)*time.Hour)
		}))
	pact := objects.NewWorkflow("Pact").
		Handler("run", objects.NewWorkflowHandler(func(ctx objects.WorkflowContext, _ objects.Void) (string, error) {
			return objects.Promise[string](ctx, "signed").Result()
		})).
		Handler("sign", objects.NewWorkflowSharedHandler(func(ctx objects.WorkflowSharedContext, value string) (objects.Void, error) {
			return objects.Void{}, objects.Promise[string](ctx, "signed").Resolve(value)
		}))
	return []objects.ServiceDefinition{vault, pact}
}

// filler is a text that does not compress.
func filler(size int) string {
	var b strings.Builder
	for n := uint32(1); b.Len() < size; n = n*1664525 + 1013904223 {
		fmt.Fprintf(&b, "%08x", n)
	}
	return b.String()[:size]
}

func fillerSum(size int) uint32 { return crc32.ChecksumIEEE([]byte(filler(size))) }

// valueOrFailure is a result as text.
func valueOrFailure(r journal.Result) string {
	if r.Failure != nil {
		return "failure: " + r.Failure.Message
	}
	return string(r.Value)
}

func vaultRequest(key, handler string, body any) actors.Request {
	r := actors.Request{Service: "Vault", Key: key, Handler: handler}
	if body != nil {
		r.Body, _ = json.Marshal(body) // numbers and texts
	}
	return r
}

func called(ctx context.Context, rt *actors.Runtime, r actors.Request) (string, error) {
	resp, err := rt.Call(ctx, r)
	return valueOrFailure(resp.Result), err
}

func (c *corruption) mustCall(rt *actors.Runtime, r actors.Request) string {
	c.t.Helper()
	got, err := called(c.t.Context(), rt, r)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func (c *corruption) mustSend(rt *actors.Runtime, r actors.Request) ident.InvocationID {
	c.t.Helper()
	a, err := rt.Send(c.t.Context(), r)
	if err != nil {
		c.t.Fatal(err)
	}
	return a.ID
}

// expect adds a question.
func (c *corruption) expect(key, want, what string, ask func(ctx context.Context, rt *actors.Runtime) (string, error)) {
	c.questions = append(c.questions, question{what: what, key: key, want: want, ask: ask})
}

// fill does what is remembered. Questions of the first life are asked of both
// directories, as those of the second are.
func (c *corruption) fill(rt *actors.Runtime, life int) {
	c.t.Helper()
	for n := range 8 {
		key := fmt.Sprintf("count%d-%d", life, n)
		first := vaultRequest(key, "add", n)
		first.IdempotencyKey = "once-" + key
		result := c.mustCall(rt, first)
		want := c.mustCall(rt, vaultRequest(key, "add", 100))
		c.expect(key, result, "the idempotent call to "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) { return called(ctx, rt, first) })
		c.expect(key, want, "the state of "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) {
			return called(ctx, rt, vaultRequest(key, "get", nil))
		})
	}
	for _, size := range []int{3_000, 60_000, 700_000} {
		key := fmt.Sprintf("large%d-%d", life, size)
		c.mustCall(rt, vaultRequest(key, "put", size))
		c.expect(key, fmt.Sprint(fillerSum(size)), "the value of "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) {
			return called(ctx, rt, vaultRequest(key, "sum", nil))
		})
	}
	c.fillWaits(rt, life)
}

// fillWaits leaves invocations behind that go on later.
func (c *corruption) fillWaits(rt *actors.Runtime, life int) {
	c.t.Helper()
	for _, size := range []int{20, 5_000, 400_000} {
		key := fmt.Sprintf("ask%d-%d", life, size)
		id := c.mustSend(rt, vaultRequest(key, "ask", size))
		behind := c.mustSend(rt, vaultRequest(key, "add", 7))
		c.awaitStatus(rt, id, "suspended")
		c.expect(key, `"yes `+fmt.Sprintf("%08x", fillerSum(size))+`"`, "who waits in "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) {
			if _, err := rt.Signal(ctx, id, journal.SignalID(ident.FirstAwakeable), journal.ValueOf([]byte(`"yes"`))); err != nil {
				return "", err
			}
			resp, err := rt.Attach(ctx, id)
			return valueOrFailure(resp.Result), err
		})
		c.expect(key, "7", "who stands behind it in "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) {
			resp, err := rt.Attach(ctx, behind)
			return valueOrFailure(resp.Result), err
		})
	}
	nap := fmt.Sprintf("nap%d", life)
	c.expectStatus(rt, nap, "suspended", c.mustSend(rt, vaultRequest(nap, "nap", 900)))
	later, delayed := 900*time.Hour, vaultRequest("later"+nap, "add", 1)
	delayed.Delay = &later
	c.expectStatus(rt, delayed.Key, "scheduled", c.mustSend(rt, delayed))
	key := fmt.Sprintf("pact%d", life)
	run := c.mustSend(rt, actors.Request{Service: "Pact", Key: key, Handler: "run"})
	c.awaitStatus(rt, run, "suspended")
	c.expect(key, `"deal"`, "the run of "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) {
		if _, err := rt.Call(ctx, actors.Request{Service: "Pact", Key: key, Handler: "sign", Body: []byte(`"deal"`)}); err != nil {
			return "", err
		}
		resp, err := rt.Attach(ctx, run)
		return valueOrFailure(resp.Result), err
	})
}

func status(ctx context.Context, rt *actors.Runtime, id ident.InvocationID) (string, error) {
	in, err := rt.Inspect(ctx, id, actors.InspectOptions{})
	if err != nil || in == nil {
		return "unknown", err
	}
	return in.Invocation.Status.String(), nil
}

func (c *corruption) awaitStatus(rt *actors.Runtime, id ident.InvocationID, want string) {
	c.t.Helper()
	eventually(c.t, "the invocation is "+want, func() bool {
		got, err := status(c.t.Context(), rt, id)
		return err == nil && got == want
	})
}

func (c *corruption) expectStatus(rt *actors.Runtime, key, want string, id ident.InvocationID) {
	c.t.Helper()
	c.awaitStatus(rt, id, want)
	c.expect(key, want, "the status of what waits in "+key, func(ctx context.Context, rt *actors.Runtime) (string, error) { return status(ctx, rt, id) })
}

// listed is how many invocations a list shows, and a sum over their ids.
func listed(ctx context.Context, rt *actors.Runtime) (string, error) {
	var ids []string
	for f := (query.InvocationFilter{}); ; {
		page, err := rt.Invocations(ctx, f)
		if err != nil {
			return "", err
		}
		for _, item := range page.Items {
			ids = append(ids, item.Row.ID.String())
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	slices.Sort(ids)
	return fmt.Sprintf("%d, %08x", len(ids), crc32.ChecksumIEEE([]byte(strings.Join(ids, " ")))), nil
}
