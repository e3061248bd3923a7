package dormousetest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// order is a handler with one of everything that a journal may hold.
func order(body func(ctx restate.ObjectContext, what string) (string, error)) restate.ServiceDefinition {
	return restate.NewObject("Order").Handler("place", restate.NewObjectHandler(body))
}

// place is the build that writes the journals.
func place(ctx restate.ObjectContext, what string) (string, error) {
	seen, err := restate.Get[int](ctx, "seen")
	if err != nil {
		return "", err
	}
	restate.Set(ctx, "seen", seen+1)
	number := restate.UUID(ctx).String()
	restate.Set(ctx, "number", number)
	approval := restate.Awakeable[string](ctx)
	charged, err := restate.Run(ctx, func(restate.RunContext) (string, error) { return "<" + number + ">", nil }, restate.WithName("charge"))
	if err != nil {
		return "", err
	}
	sum, err := restate.Object[int](ctx, "Desk", "sum", "add").Request(7, restate.WithHeaders(map[string]string{"x": "y"}))
	if err != nil {
		return "", err
	}
	restate.ObjectSend(ctx, "Desk", "other", "add").Send(1, restate.WithDelay(time.Hour))
	if err := restate.Sleep(ctx, time.Minute, restate.WithName("cool down")); err != nil {
		return "", err
	}
	answer, err := approval.Result()
	if err != nil {
		return "", err
	}
	restate.Clear(ctx, "seen")
	return fmt.Sprint(what, charged, sum, answer), nil
}

// journalOf places an order in a bubble and exports it: while it waits for its
// approval, or after it has got one.
func journalOf(t *testing.T, approved bool) (exported []byte) {
	t.Helper()
	d := &desk{}
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(order(place), d.definition())
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Order", "o1", "place").Send(t.Context(), "a lamp", restate.WithIdempotencyKey("k"))
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Hour)
		if approved {
			resolve(t, env, firstAwakeable(t, sent.Id()))
			if _, err := ingress.Attach[string](t.Context(), env.Ingress(), sent.Id()); err != nil {
				t.Fatal(err)
			}
		}
		exported = env.Export(sent.Id())
	}, dormousetest.DisableRestateLogs)
	return exported
}

func resolve(t *testing.T, env *dormousetest.Env, id string) {
	t.Helper()
	if err := ingress.ResolveAwakeable(t.Context(), env.Ingress(), id, "ok"); err != nil {
		t.Fatal(err)
	}
}

// tried runs a replay that may fail and returns what it says.
func tried(t *testing.T, exported []byte, service restate.ServiceDefinition, callees ...restate.ServiceDefinition) (r dormousetest.Replayed, says string) {
	t.Helper()
	rec, done := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		r = dormousetest.Replay(rec, exported, service, callees...)
	}()
	<-done
	if rec.failed {
		says = rec.text()
	}
	return r, says
}

// Fatalf implements testing.TB.
func (r *recorder) Fatalf(f string, a ...any) {
	r.Errorf(f, a...)
	runtime.Goexit()
}

// Output implements testing.TB.
func (r *recorder) Output() io.Writer { return io.Discard }

func TestAJournalFitsTheCodeThatWroteIt(t *testing.T) {
	t.Parallel()
	for approved, want := range map[bool]string{false: "wait ", true: "end"} {
		exported := journalOf(t, approved)
		r := dormousetest.Replay(t, exported, order(place))
		if commands := map[bool]int{false: 7, true: 9}[approved]; r.Commands != commands || !strings.HasPrefix(r.Next.String(), want) {
			t.Errorf("approved %t: %d commands, then %v", approved, r.Commands, r.Next)
		}
		// jq, editors and formatters change white space and numbers.
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, exported, "", "        "); err != nil {
			t.Fatal(err)
		}
		if again := dormousetest.Replay(t, pretty.Bytes(), order(place)); again.Next.String() != r.Next.String() {
			t.Errorf("formatted: then %v, want %v", again.Next, r.Next)
		}
	}
}

func TestACodeThatDoesNotFitIsNamedWithBothSides(t *testing.T) {
	t.Parallel()
	exported := journalOf(t, true)
	for name, build := range map[string]struct {
		handler func(ctx restate.ObjectContext, what string) (string, error)
		says    []string
	}{
		"another state key": {func(ctx restate.ObjectContext, _ string) (string, error) {
			restate.Get[int](ctx, "saw")
			return "", nil
		}, []string{"at command 1 (entry 1, GetEagerState)", "GetEagerState seen", "GetEagerState saw"}},
		"one awakeable more": {func(ctx restate.ObjectContext, what string) (string, error) {
			restate.Awakeable[int](ctx)
			return place(ctx, what)
		}, []string{"at command 1", "0 awakeables", "1 awakeables"}},
		"one random number more": {func(ctx restate.ObjectContext, what string) (string, error) {
			restate.UUID(ctx)
			return place(ctx, what)
		}, []string{"2 draws"}},
		"an early return": {func(ctx restate.ObjectContext, what string) (string, error) {
			_, err := restate.Get[int](ctx, "seen")
			return "", orNil(err)
		}, []string{"SetState seen", "Output"}},
		"an error in the middle": {func(ctx restate.ObjectContext, what string) (string, error) {
			restate.Get[int](ctx, "seen")
			return "", errors.New("out of ink")
		}, []string{"at command 1", "8 of 9 commands", "out of ink"}},
		"a panic in the middle": {func(ctx restate.ObjectContext, what string) (string, error) {
			restate.Get[int](ctx, "seen")
			panic("paper jam")
		}, []string{"paper jam", "replay_test.go"}},
		"a wait that is not there": {func(ctx restate.ObjectContext, what string) (string, error) {
			restate.Get[int](ctx, "seen")
			restate.Set(ctx, "seen", 1)
			restate.Awakeable[string](ctx)
			return restate.Awakeable[string](ctx).Result()
		}, []string{"a wait for", "signal 18", "SetState number"}},
	} {
		_, says := tried(t, exported, order(build.handler))
		for _, want := range append(build.says, "Order/o1/place") {
			if !strings.Contains(says, want) {
				t.Errorf("%s: it does not say %q: %s", name, want, says)
			}
		}
	}
}

// TestOneAwakeableMoreBehindTheLastCommandIsNamed needs what was allocated at the
// suspension: no command tells the two builds apart.
func TestOneAwakeableMoreBehindTheLastCommandIsNamed(t *testing.T) {
	t.Parallel()
	ask := func(questions int) restate.ServiceDefinition {
		return order(func(ctx restate.ObjectContext, _ string) (string, error) {
			for range questions - 1 {
				restate.Awakeable[string](ctx)
			}
			return restate.Awakeable[string](ctx).Result()
		})
	}
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(ask(1))
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Order", "o1", "place").Send(t.Context(), "a lamp")
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		exported := env.Export(sent.Id())
		if r := dormousetest.Replay(t, exported, ask(1)); r.Commands != 0 || r.Next.Kind != dormousetest.StepWait {
			t.Errorf("%d commands, then %v", r.Commands, r.Next)
		}
		if _, says := tried(t, exported, ask(2)); !strings.Contains(says, "1 awakeables") || !strings.Contains(says, "2 awakeables") {
			t.Errorf("it says %s", says)
		}
	})
}

func TestAReplaySaysWhatTheHandlerDoesNext(t *testing.T) {
	t.Parallel()
	d := &desk{}
	var journal []byte
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		held := make(chan struct{})
		env.Bind(order(func(ctx restate.ObjectContext, what string) (string, error) {
			restate.Set(ctx, "a", 1)
			<-held
			return "", nil
		}), d.definition())
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Order", "o2", "place").Send(t.Context(), "a lamp")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		journal = env.Export(sent.Id())
		close(held)
	}, dormousetest.DisableRestateLogs)
	for want, more := range map[string]func(ctx restate.ObjectContext) (string, error){
		`command Output "\"done\""`: func(restate.ObjectContext) (string, error) { return "done", nil },
		"command Output: no":        func(restate.ObjectContext) (string, error) { return "", restate.TerminalErrorf("no") },
		"fail: code 500: not now":   func(restate.ObjectContext) (string, error) { return "", errors.New("not now") },
		`command SetState b "2"`:    func(ctx restate.ObjectContext) (string, error) { restate.Set(ctx, "b", 2); return "", nil },
		"command Sleep nap": func(ctx restate.ObjectContext) (string, error) {
			return "", orNil(restate.Sleep(ctx, 1, restate.WithName("nap")))
		},
		"read c": func(ctx restate.ObjectContext) (string, error) {
			v, err := restate.Get[string](ctx, "c")
			return v, orNil(err)
		},
		"read all names": func(ctx restate.ObjectContext) (string, error) { _, err := restate.Keys(ctx); return "", orNil(err) },
		"command Run mail": func(ctx restate.ObjectContext) (string, error) {
			return "", orNil(restate.RunVoid(ctx, never, restate.WithName("mail")))
		},
		`command Call Desk/x/add "3"`: func(ctx restate.ObjectContext) (string, error) {
			restate.Object[int](ctx, "Desk", "x", "add").RequestFuture(3)
			return "", nil
		},
		`command OneWayCall Desk/x/add "4"`: func(ctx restate.ObjectContext) (string, error) {
			restate.ObjectSend(ctx, "Desk", "x", "add").Send(4)
			return "", nil
		},
		"wait first(signal 1, signal 17)": func(ctx restate.ObjectContext) (string, error) { return restate.Awakeable[string](ctx).Result() },
		"command Output: send to Nobody/add": func(ctx restate.ObjectContext) (string, error) {
			restate.ServiceSend(ctx, "Nobody", "add").Send(4)
			return "", nil
		},
	} {
		r := dormousetest.Replay(t, journal, order(func(ctx restate.ObjectContext, _ string) (string, error) {
			restate.Set(ctx, "a", 1)
			return more(ctx)
		}), d.definition())
		if r.Commands != 1 || !strings.HasPrefix(r.Next.String(), want) {
			t.Errorf("%d commands, then %q, want 1 and %q", r.Commands, r.Next, want)
		}
	}
}

func never(restate.RunContext) error { panic("a closure was executed") }

// TestARunWithoutAResultIsNotExecuted exports while a closure is under way.
func TestARunWithoutAResultIsNotExecuted(t *testing.T) {
	t.Parallel()
	service := func(closure func(restate.RunContext) error) restate.ServiceDefinition {
		return order(func(ctx restate.ObjectContext, _ string) (string, error) {
			charge := restate.RunAsync(ctx, func(run restate.RunContext) (restate.Void, error) {
				return restate.Void{}, closure(run)
			}, restate.WithName("charge"))
			if err := restate.Sleep(ctx, time.Minute); err != nil {
				return "", err
			}
			_, err := charge.Result()
			return "", orNil(err)
		})
	}
	var exported []byte
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		held := make(chan struct{})
		env.Bind(service(func(restate.RunContext) error { <-held; return nil }))
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Order", "o1", "place").Send(t.Context(), "a lamp")
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		exported = env.Export(sent.Id())
		close(held)
	})
	if r := dormousetest.Replay(t, exported, service(never)); r.Next.Kind != dormousetest.StepRun || r.Next.Name != "charge" {
		t.Errorf("then %v", r.Next)
	}
}

func TestWhatIsNoExportIsRefusedByName(t *testing.T) {
	t.Parallel()
	good := journalOf(t, true)
	change := func(edit func(doc map[string]any)) []byte {
		var doc map[string]any
		if err := json.Unmarshal(good, &doc); err != nil {
			t.Fatal(err)
		}
		edit(doc)
		changed, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	entries := func(doc map[string]any) []any { return doc["journal"].(map[string]any)["entries"].([]any) }
	shared := restate.NewObject("Order").Handler("place", restate.NewObjectSharedHandler(func(restate.ObjectSharedContext, string) (string, error) { return "", nil }))
	for want, c := range map[string]struct {
		exported []byte
		service  restate.ServiceDefinition
	}{
		"read the exported journal": {[]byte("nonsense"), order(place)},
		`id ""`:                     {[]byte("{}"), order(place)},
		"it has no random_seed: export it with GET":      {change(func(d map[string]any) { delete(d, "random_seed") }), order(place)},
		"it has no journal":                              {change(func(d map[string]any) { delete(d, "journal") }), order(place)},
		"append the entries of the next page, with from": {change(func(d map[string]any) { d["journal"].(map[string]any)["next_from"] = 3 }), order(place)},
		"entry 2: its body has 0 of": {change(func(d map[string]any) {
			delete(entries(d)[2].(map[string]any), "body")
		}), order(place)},
		"entry 0: its index is 1": {change(func(d map[string]any) {
			d["journal"].(map[string]any)["entries"] = entries(d)[1:]
		}), order(place)},
		"begin with an Input": {change(func(d map[string]any) {
			all := entries(d)[1:]
			for i, e := range all {
				e.(map[string]any)["index"] = i
			}
			d["journal"].(map[string]any)["entries"] = all
		}), order(place)},
		"the definition is of service Desk": {good, (&desk{}).definition()},
		"Order has no handler place":        {good, restate.NewObject("Order").Handler("other", restate.NewObjectHandler(place))},
		"is shared and was exclusive":       {good, shared},
	} {
		if _, says := tried(t, c.exported, c.service); !strings.Contains(says, want) {
			t.Errorf("it does not say %q: %s", want, says)
		}
	}
}

// TestALongJournalIsExportedWhole has more entries than a page.
func TestALongJournalIsExportedWhole(t *testing.T) {
	t.Parallel()
	const many = 1500
	long := order(func(ctx restate.ObjectContext, _ string) (string, error) {
		for n := range many {
			restate.Set(ctx, "n", n)
		}
		return "", nil
	})
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(long)
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Order", "o1", "place").Send(t.Context(), "a lamp")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ingress.Attach[string](t.Context(), env.Ingress(), sent.Id()); err != nil {
			t.Fatal(err)
		}
		if r := dormousetest.Replay(t, env.Export(sent.Id()), long); r.Commands != many+1 || r.Next.Kind != dormousetest.StepEnd {
			t.Errorf("%d commands, then %v", r.Commands, r.Next)
		}
	})
}
