package dormousetest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	"github.com/dormouse-run/dormouse/internal/ident"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// doors are the two ways into an environment.
func doors() map[string]func(*testing.T, []restate.ServiceDefinition, func(*testing.T, *dormousetest.Env), ...dormousetest.TestEnvironmentOption) {
	return map[string]func(*testing.T, []restate.ServiceDefinition, func(*testing.T, *dormousetest.Env), ...dormousetest.TestEnvironmentOption){
		"in memory": inMemory,
		"on disk":   onDisk,
	}
}

func inMemory(t *testing.T, services []restate.ServiceDefinition, body func(*testing.T, *dormousetest.Env), opts ...dormousetest.TestEnvironmentOption) {
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(services...)
		body(t, env)
	}, opts...)
}

// desk is an object that asks for a decision and counts what it executed.
type desk struct{ runs atomic.Int32 }

func (d *desk) definition() restate.ServiceDefinition {
	return restate.NewObject("Desk").
		Handler("ask", restate.NewObjectHandler(d.ask)).
		Handler("nap", restate.NewObjectHandler(func(ctx restate.ObjectContext, seconds int) (int, error) {
			return seconds, orNil(restate.Sleep(ctx, time.Duration(seconds)*time.Second))
		})).
		Handler("add", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
			old, err := restate.Get[int](ctx, "n")
			if err != nil {
				return 0, err
			}
			restate.Set(ctx, "n", old+n)
			return old + n, nil
		})).
		Handler("status", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
			id, err := restate.Get[string](ctx, "waiting")
			return id, orNil(err)
		}))
}

// orNil makes an error of a terminal one that may be nil.
func orNil(err restate.TerminalError) error {
	if err != nil {
		return err
	}
	return nil
}

func (d *desk) ask(ctx restate.ObjectContext, what string) (string, error) {
	answer := restate.Awakeable[string](ctx)
	restate.Set(ctx, "waiting", answer.Id())
	if err := restate.RunVoid(ctx, func(restate.RunContext) error { d.runs.Add(1); return nil }, restate.WithName("hand out")); err != nil {
		return "", err
	}
	text, err := answer.Result()
	if err != nil {
		return "", err
	}
	restate.Clear(ctx, "waiting")
	return what + ": " + text, nil
}

// waiting returns the awakeable of a key, as soon as there is one.
func waiting(t *testing.T, env *dormousetest.Env, key string) string {
	t.Helper()
	for range 1000 {
		id, err := ingress.Object[restate.Void, string](env.Ingress(), "Desk", key, "status").Request(t.Context(), restate.Void{})
		if err != nil {
			t.Fatalf("status of %s: %v", key, err)
		}
		if id != "" {
			return id
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("%s does not wait for anything", key)
	return ""
}

// later asks on another goroutine and tells how that ended.
func later(ctx context.Context, env *dormousetest.Env, key, what string) <-chan string {
	got := make(chan string, 1)
	go func() {
		text, err := ingress.Object[string, string](env.Ingress(), "Desk", key, "ask").Request(ctx, what, restate.WithIdempotencyKey(what))
		if err != nil {
			text = "error: " + err.Error()
		}
		got <- text
	}()
	return got
}

// gotOrBroken looks at what a caller has whose connection broke. net/http repeats
// a request that has an idempotency key, and when the next life is up by then, the
// caller is answered by that.
func gotOrBroken(t *testing.T, got, answer string) {
	t.Helper()
	if got != answer && !strings.HasPrefix(got, "error: ") {
		t.Errorf("the caller whose connection broke got %q", got)
	}
}

func add(t *testing.T, env *dormousetest.Env, n, want int) {
	t.Helper()
	got, err := ingress.Object[int, int](env.Ingress(), "Desk", "sum", "add").Request(t.Context(), n)
	if err != nil || got != want {
		t.Fatalf("add gives %d, %v, want %d", got, err, want)
	}
}

// get is curl.
func get(t *testing.T, env *dormousetest.Env, url string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := env.HTTP().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
	lines  []string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Logf(f string, a ...any)   { r.lines = append(r.lines, fmt.Sprintf(f, a...)) }
func (r *recorder) Errorf(f string, a ...any) { r.failed = true; r.Logf(f, a...) }
func (r *recorder) text() string              { return strings.Join(r.lines, "\n") }

// firstAwakeable returns the id of the first awakeable of an invocation.
func firstAwakeable(t *testing.T, invocation string) string {
	t.Helper()
	id, err := ident.ParseInvocationID(invocation)
	if err != nil {
		t.Fatal(err)
	}
	return ident.AwakeableID{Invocation: id, Index: ident.FirstAwakeable}.String()
}
