package dormousetest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// change is one way in which the next build differs from the last one, between
// what both do before and what both do behind it.
type change struct {
	last, next func(ctx restate.ObjectContext)
	// ends is where the next build returns.
	ends endsAt
	// sides are in the text of the failure: what the journal has, and what the
	// next build has issued.
	sides [2]string
}

// endsAt is where a handler returns.
type endsAt int

const (
	atItsEnd endsAt = iota
	behindTheChange
	beforeItsWait
)

// changes are named by what differs.
func changes() map[string]change {
	set := func(key string, value any) func(restate.ObjectContext) {
		return func(ctx restate.ObjectContext) { restate.Set(ctx, key, value) }
	}
	call := func(key, handler string, n int) func(restate.ObjectContext) {
		return func(ctx restate.ObjectContext) { restate.Object[int](ctx, "Tally", key, handler).RequestFuture(n) }
	}
	send := func(key, handler string, n int) func(restate.ObjectContext) {
		return func(ctx restate.ObjectContext) { restate.ObjectSend(ctx, "Tally", key, handler).Send(n) }
	}
	run := func(name string) func(restate.ObjectContext) {
		return func(ctx restate.ObjectContext) {
			_, _ = restate.Run(ctx, func(restate.RunContext) (int, error) { return 1, nil }, restate.WithName(name))
		}
	}
	sleep := func(name string) func(restate.ObjectContext) {
		return func(ctx restate.ObjectContext) { _ = restate.Sleep(ctx, time.Millisecond, restate.WithName(name)) }
	}
	nothing := func(restate.ObjectContext) {}
	return map[string]change{
		"command, another type":             {last: set("a", 1), next: sleep("nap"), sides: [2]string{"SetState a", "Sleep nap"}},
		"command, a call that was a send":   {last: send("k", "add", 1), next: call("k", "add", 1), sides: [2]string{"OneWayCall Tally/k/add", "Call Tally/k/add"}},
		"name of a run":                     {last: run("charge"), next: run("refund"), sides: [2]string{"Run charge", "Run refund"}},
		"name of a sleep":                   {last: sleep("short"), next: sleep("long"), sides: [2]string{"Sleep short", "Sleep long"}},
		"target of a call":                  {last: call("k", "add", 1), next: call("k", "take", 1), sides: [2]string{"Tally/k/add", "Tally/k/take"}},
		"target of a send":                  {last: send("k", "add", 1), next: send("k", "take", 1), sides: [2]string{"Tally/k/add", "Tally/k/take"}},
		"key of a state value":              {last: set("a", 1), next: set("b", 1), sides: [2]string{"SetState a", "SetState b"}},
		"key of an object":                  {last: call("k", "add", 1), next: call("l", "add", 1), sides: [2]string{"Tally/k/add", "Tally/l/add"}},
		"payload of a state value":          {last: set("a", "old"), next: set("a", "new"), sides: [2]string{`stored "\"old\""`, `issued "\"new\""`}},
		"payload of a call":                 {last: call("k", "add", 1), next: call("k", "add", 2), sides: [2]string{`stored "1"`, `issued "2"`}},
		"payload of a send":                 {last: send("k", "add", 1), next: send("k", "add", 2), sides: [2]string{`stored "1"`, `issued "2"`}},
		"one command more in the middle":    {last: nothing, next: set("c", 1), sides: [2]string{"SetState waiting", "SetState c"}},
		"one command fewer in the middle":   {last: set("c", 1), next: nothing, sides: [2]string{"SetState c", "SetState waiting"}},
		"the handler ends early":            {last: set("c", 1), next: nothing, ends: behindTheChange, sides: [2]string{"SetState c", "Output"}},
		"the handler ends where it waited":  {last: nothing, next: nothing, ends: beforeItsWait, sides: [2]string{"a wait", "Output"}},
		"an awakeable more before the wait": {last: nothing, next: func(ctx restate.ObjectContext) { restate.Awakeable[int](ctx) }, sides: [2]string{"1 awakeables", "2 awakeables"}},
		"an awakeable fewer":                {last: func(ctx restate.ObjectContext) { restate.Awakeable[int](ctx) }, next: nothing, sides: [2]string{"2 awakeables", "1 awakeables"}},
		"a random number more":              {last: nothing, next: func(ctx restate.ObjectContext) { restate.UUID(ctx) }, sides: [2]string{"0 draws", "2 draws"}},
	}
}

// build is one version of the object Order, and what its handlers call.
func build(op func(restate.ObjectContext), ends endsAt) []restate.ServiceDefinition {
	place := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		restate.Set(ctx, "before", true)
		answer := restate.Awakeable[string](ctx)
		op(ctx)
		if ends == behindTheChange {
			return "too early", nil
		}
		restate.Set(ctx, "waiting", answer.Id())
		if ends == beforeItsWait {
			return "too early", nil
		}
		text, err := answer.Result()
		if err != nil {
			return "", err
		}
		restate.Set(ctx, "after", text)
		restate.ObjectSend(ctx, "Tally", "leak", "add").Send(1)
		return "placed: " + text, nil
	}
	state := func(ctx restate.ObjectSharedContext, _ restate.Void) (map[string]json.RawMessage, error) {
		keys, err := restate.Keys(ctx)
		if err != nil {
			return nil, err
		}
		all := map[string]json.RawMessage{}
		for _, key := range keys {
			if all[key], err = restate.Get[json.RawMessage](ctx, key); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	add := func(ctx restate.ObjectContext, n int) (int, error) {
		old, err := restate.Get[int](ctx, "n")
		if err != nil {
			return 0, err
		}
		restate.Set(ctx, "n", old+n)
		return old + n, nil
	}
	quick := restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(20*time.Millisecond), restate.WithMaxRetryInterval(20*time.Millisecond))
	return []restate.ServiceDefinition{
		restate.NewObject("Order", quick).Handler("place", restate.NewObjectHandler(place)).Handler("state", restate.NewObjectSharedHandler(state)),
		restate.NewObject("Tally").Handler("add", restate.NewObjectHandler(add)).Handler("take", restate.NewObjectHandler(add)),
	}
}

// view is what these tests read of an introspection.
type view struct {
	Status        string `json:"status"`
	JournalLength int    `json:"journal_length"`
	CommandCount  int    `json:"command_count"`
	LastFailure   struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Command struct {
			Index int    `json:"index"`
			Type  string `json:"type"`
		} `json:"command"`
	} `json:"last_failure"`
	Completion *struct {
		Result string `json:"result"`
	} `json:"completion"`
	Journal struct {
		Entries []json.RawMessage `json:"entries"`
	} `json:"journal"`
}

func inspect(t *testing.T, env *dormousetest.Env, id string) (v view) {
	t.Helper()
	status, body := get(t, env, env.AdminURL()+"/introspection/invocations/"+id)
	if err := json.Unmarshal([]byte(body), &v); status != 200 || err != nil {
		t.Fatalf("inspect %s: %d %s: %v", id, status, body, err)
	}
	return v
}

// until inspects an invocation until what is seen is right.
func until(t *testing.T, env *dormousetest.Env, id, what string, right func(view) bool) view {
	t.Helper()
	var v view
	for range 1000 {
		if v = inspect(t, env, id); right(v) {
			return v
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("%s does not come: %+v", what, v)
	return v
}

func request[O any](t *testing.T, env *dormousetest.Env, service, key, handler string, in any) O {
	t.Helper()
	out, err := ingress.Object[any, O](env.Ingress(), service, key, handler).Request(t.Context(), in)
	if err != nil {
		t.Fatalf("%s/%s/%s: %v", service, key, handler, err)
	}
	return out
}

func stateOf(t *testing.T, env *dormousetest.Env) string {
	t.Helper()
	text, err := json.Marshal(request[map[string]json.RawMessage](t, env, "Order", "o", "state", restate.Void{}))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tally is what the object Tally was sent under each key.
func tally(t *testing.T, env *dormousetest.Env) [3]int {
	t.Helper()
	var sums [3]int
	for i, key := range []string{"k", "l", "leak"} {
		sums[i] = request[int](t, env, "Tally", key, "add", 0)
	}
	return sums
}

// commands are the entries that the handler has written. What is answered in the
// meantime is not up to it.
func commands(t *testing.T, v view) string {
	t.Helper()
	var own []map[string]any
	for _, raw := range v.Journal.Entries {
		var entry map[string]any
		if err := json.Unmarshal(raw, &entry); err != nil {
			t.Fatal(err)
		}
		if entry["kind"] == "command" {
			delete(entry, "index")
			delete(entry, "completed")
			own = append(own, entry)
		}
	}
	text, err := json.Marshal(own)
	if err != nil || len(own) != v.CommandCount {
		t.Fatalf("%d commands of %d, %v", len(own), v.CommandCount, err)
	}
	return string(text)
}

// TestCodeThatChangedBetweenTwoAttemptsIs570AndTheOldCodeHealsIt: whatever
// differs, both sides are named, nothing behind it is written or happens, and the
// code that fits goes on where it was.
func TestCodeThatChangedBetweenTwoAttemptsIs570AndTheOldCodeHealsIt(t *testing.T) {
	t.Parallel()
	for door, open := range doors() {
		for name, c := range changes() {
			t.Run(door+"/"+name, func(t *testing.T) {
				t.Parallel()
				last := build(c.last, atItsEnd)
				open(t, last, func(t *testing.T, env *dormousetest.Env) { changeAndGoBack(t, env, c, last) },
					dormousetest.WithRuntime(actors.Options{InactivityTimeout: -1}), dormousetest.DisableRestateLogs)
			})
		}
	}
}

func changeAndGoBack(t *testing.T, env *dormousetest.Env, c change, last []restate.ServiceDefinition) {
	sent, err := ingress.ObjectSend[restate.Void](env.Ingress(), "Order", "o", "place").Send(t.Context(), restate.Void{})
	if err != nil {
		t.Fatal(err)
	}
	id := sent.Id()
	until(t, env, id, "its wait", func(v view) bool {
		return v.Status == "suspended" && strings.Contains(stateOf(t, env), `"waiting":`)
	})
	before := inspect(t, env, id)
	state, sums := stateOf(t, env), tally(t, env)

	env.Restart(build(c.next, c.ends)...)
	if err := ingress.ResolveAwakeable(t.Context(), env.Ingress(), firstAwakeable(t, id), "yes"); err != nil {
		t.Fatal(err)
	}
	failed := until(t, env, id, "a failure", func(v view) bool { return v.LastFailure.Code != 0 })
	if f := failed.LastFailure; f.Code != 570 || f.Command.Type == "" || f.Command.Index < 1 {
		t.Errorf("the failure is %+v", f)
	}
	for _, side := range c.sides {
		if text := failed.LastFailure.Message; !strings.Contains(text, side) {
			t.Errorf("the failure does not name %s: %s", side, text)
		}
	}
	if failed.Completion != nil || failed.CommandCount != before.CommandCount {
		t.Errorf("completion %v, %d commands of %d", failed.Completion, failed.CommandCount, before.CommandCount)
	}
	if had, has := commands(t, before), commands(t, failed); had != has {
		t.Errorf("the commands of the journal were %s and are %s", had, has)
	}
	if got, sum := stateOf(t, env), tally(t, env); got != state || sum != sums {
		t.Errorf("the state was %s and is %s; others got %v and have got %v", state, got, sums, sum)
	}

	env.Restart(last...)
	got, err := ingress.Attach[string](t.Context(), env.Ingress(), id)
	if err != nil || got != "placed: yes" {
		t.Errorf("with the old code the result is %q, %v", got, err)
	}
	if got := stateOf(t, env); !strings.Contains(got, `"after":"yes"`) {
		t.Errorf("the state is %s", got)
	}
}
