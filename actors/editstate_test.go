package actors

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func edit(b *bench, p StatePatch) {
	b.t.Helper()
	if err := b.rt.EditState(b.t.Context(), p); err != nil {
		b.t.Fatalf("edit the state of %s/%s: %v", p.Service, p.Key, err)
	}
}

func counterPatch(n string) StatePatch {
	return StatePatch{Service: "Counter", Key: "a", State: map[string][]byte{"n": []byte(n)}}
}

func TestAPatchReplacesTheStateOfAFreeKey(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Counter", "a", "add", 1)).Result, "1")
		edit(b, counterPatch("42"))
		wantValue(t, call(b, ask("Counter", "a", "get", nil)).Result, "42")
		wantValue(t, call(b, ask("Counter", "a", "add", 1)).Result, "43")
		edit(b, StatePatch{Service: "Counter", Key: "a"})
		b.crash()
		wantValue(t, call(b, ask("Counter", "a", "get", nil)).Result, "0")
		if n := rowsOf(t, b.store, machine.TableHead); n != 0 {
			t.Errorf("%d heads are left of a state that was cleared", n)
		}
	})
}

// TestAPatchIsThatOfTheMomentOfTheCall: whoever patches may use its buffer again.
func TestAPatchIsThatOfTheMomentOfTheCall(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		value := []byte("42")
		edit(b, StatePatch{Service: "Counter", Key: "a", State: map[string][]byte{"n": value, "other": []byte("1")}})
		copy(value, "77")
		wantValue(t, call(b, ask("Counter", "a", "get", nil)).Result, "42")
	})
}

func TestAPatchWaitsForTheHolderOfTheKey(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"in memory": {}, "suspended": {InactivityTimeout: -1, Linger: -1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			o.Services = w.services()
			inBubble(t, o, func(t *testing.T, b *bench) {
				first := send(b, ask("Desk", "x", "ask", "one"))
				synctest.Wait()
				edit(b, StatePatch{Service: "Desk", Key: "x", State: map[string][]byte{"asked": []byte(`"patched"`), "more": make([]byte, 300<<10)}})
				second := send(b, ask("Desk", "x", "nap", 1))
				synctest.Wait()
				wantValue(t, call(b, ask("Desk", "x", "peek", nil)).Result, `"one"`)
				b.crash()
				synctest.Wait()
				wantValue(t, call(b, ask("Desk", "x", "peek", nil)).Result, `"one"`)
				b.resolve(w, "one", "yes")
				wantValue(t, attach(b, first), `"yes"`)
				wantValue(t, attach(b, second), "1")
				wantValue(t, call(b, ask("Desk", "x", "peek", nil)).Result, `"patched"`)
				advance(time.Minute)
				for _, table := range []machine.Table{machine.TableInbox, machine.TablePatch, machine.TableChore} {
					if n := rowsOf(t, b.store, table); n != 0 {
						t.Errorf("%d rows of table %c are left", n, table)
					}
				}
			})
		})
	}
}

func TestAPatchWithAnotherVersionIsSkipped(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		edit(b, counterPatch("1"))
		p := counterPatch("2")
		p.Version = machine.StateVersion([]machine.StateValue{{Name: "n", Value: []byte("1")}})
		edit(b, p)
		wantValue(t, call(b, ask("Counter", "a", "get", nil)).Result, "2")
		p.State["n"] = []byte("3")
		edit(b, p) // the state is 2 by now
		wantValue(t, call(b, ask("Counter", "a", "get", nil)).Result, "2")
	})
}

// TestACrashWithinALargePatchLeavesTheOldOrTheNewState ends the process at each
// commit of a patch that takes several, and looks at every value after it.
func TestACrashWithinALargePatchLeavesTheOldOrTheNewState(t *testing.T) {
	t.Parallel()
	crashAtEach(t, 12, crashWithinPatch)
}

// sheet has a state of many values, all of which say which patch they are from.
func sheet() restate.ServiceDefinition {
	read := func(ctx restate.ObjectSharedContext) (string, error) {
		keys, err := restate.Keys(ctx)
		seen := map[string]int{}
		for _, k := range keys {
			v, err := restate.Get[[]byte](ctx, k, restate.WithBinary)
			if err != nil {
				return "", err
			}
			seen[strings.TrimLeft(string(v), "x")]++
		}
		return fmt.Sprint(seen), err
	}
	return restate.NewObject("Sheet").
		Handler("look", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) { return read(ctx) })).
		Handler("take", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) { return read(ctx) }))
}

func sheetPatch(version string, rows int) StatePatch {
	p := StatePatch{Service: "Sheet", Key: "s", State: map[string][]byte{}}
	for i := range rows {
		p.State[fmt.Sprintf("row%04d", i)] = []byte(strings.Repeat("x", 600) + version)
	}
	return p
}

func crashWithinPatch(t *testing.T, n int, durable bool) {
	b := newBench(t, Options{Services: []restate.ServiceDefinition{sheet()}, Linger: -1, InactivityTimeout: -1})
	edit(b, sheetPatch("A", 700))
	h, r := b.hold(), &replies{b: b}
	r.ask("edit", func() (string, error) { return "", b.rt.EditState(t.Context(), sheetPatch("B", 800)) })
	r.ask("take", func() (string, error) {
		a, err := b.rt.Call(t.Context(), ask("Sheet", "s", "take", nil))
		return shown(a.Result), err
	})
	for range n {
		h.try(h.before)
		h.try(h.after)
	}
	if durable {
		h.try(h.before)
	}
	done := len(r.early())
	b.crashHeld(h, nil)
	advance(time.Minute)
	got := string(call(b, ask("Sheet", "s", "look", nil)).Result.Value)
	old, patched := `"map[A:700]"`, `"map[B:800]"`
	if got != patched && (got != old || done > 0) {
		t.Errorf("with %d answers before the crash the state is %s", done, got)
	}
	wantValue(t, call(b, ask("Sheet", "s", "take", nil)).Result, got)
	advance(time.Minute)
	for _, table := range []machine.Table{machine.TableInbox, machine.TablePatch, machine.TableChore, machine.TableActive} {
		if left := rowsOf(t, b.store, table); left != 0 {
			t.Errorf("%d rows of table %c are left", left, table)
		}
	}
	r.wait()
	b.close()
}

func TestAPatchThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), MaxPayload: 1 << 20}, func(t *testing.T, b *bench) {
		long := strings.Repeat("n", 256)
		for name, c := range map[string]struct {
			patch StatePatch
			want  error
		}{
			"unknown service": {StatePatch{Service: "Nope", Key: "k"}, ErrUnknownService},
			"plain service":   {StatePatch{Service: "Echo", Key: "k"}, ErrInvalid},
			"long key":        {StatePatch{Service: "Counter", Key: strings.Repeat("k", 1025)}, ErrInvalid},
			"broken key":      {StatePatch{Service: "Counter", Key: "\xff"}, ErrInvalid},
			"long name":       {StatePatch{Service: "Counter", State: map[string][]byte{long: nil}}, ErrInvalid},
			"broken version":  {StatePatch{Service: "Counter", Version: "1"}, ErrInvalid},
			"too large":       {StatePatch{Service: "Counter", State: map[string][]byte{"a": make([]byte, 1<<20)}}, ErrTooLarge},
		} {
			if err := b.rt.EditState(t.Context(), c.patch); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		edit(b, counterPatch("7"))
		b.options.Services = b.options.Services[:1] // the next build has only Echo
		b.crash()
		edit(b, counterPatch("8"))
		if err := b.rt.EditState(t.Context(), StatePatch{Service: "Counter", Key: "other"}); !errors.Is(err, ErrUnknownService) {
			t.Errorf("a key without state: %v", err)
		}
	})
}

// TestTheStateThatAPatchGivesAWorkflowGoesWithIt patches a workflow that has no
// invocations: what is stored under its name has the life of a workflow.
func TestTheStateThatAPatchGivesAWorkflowGoesWithIt(t *testing.T) {
	t.Parallel()
	flow := restate.NewWorkflow("Flow", restate.WithWorkflowRetention(2*time.Hour)).
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, _ restate.Void) (string, error) {
			return restate.Get[string](ctx, "seed")
		}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{flow}}, func(t *testing.T, b *bench) {
		patch := StatePatch{Service: "Flow", Key: "w", State: map[string][]byte{"seed": []byte(`"sown"`)}}
		edit(b, patch)
		wantValue(t, call(b, ask("Flow", "w", "run", nil)).Result, `"sown"`)
		edit(b, StatePatch{Service: "Flow", Key: "other", State: patch.State})
		advance(5 * time.Hour)
		for _, table := range []machine.Table{machine.TableHead, machine.TableState, machine.TableExpiry, machine.TableInvocation} {
			if n := rowsOf(t, b.store, table); n != 0 {
				t.Errorf("%d rows of table %c are left", n, table)
			}
		}
	})
}

func TestAPauseOfAHandlerThatWaitsInMemoryTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "one"))
		synctest.Wait()
		began := time.Now()
		if stored, err := b.rt.Operate(t.Context(), machine.OpPause, id); err != nil || !stored {
			t.Fatalf("pause: %v, %v", stored, err)
		}
		synctest.Wait()
		if got := b.status(id); got != "paused" || time.Since(began) > 0 {
			t.Fatalf("it is %s after %v", got, time.Since(began))
		}
		b.resolve(w, "one", "yes")
		synctest.Wait()
		if got := b.status(id); got != "paused" {
			t.Fatalf("it is %s after its answer", got)
		}
		if err := ingress.Resume(t.Context(), b.rt.Client(), id.String()); err != nil {
			t.Fatal(err)
		}
		wantValue(t, attach(b, id), `"yes"`)
	})
}

// TestAResumeTakesAPauseBackThatHasNotTakenEffect pauses a handler whose closure
// runs, and resumes it before it waits.
func TestAResumeTakesAPauseBackThatHasNotTakenEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, gate := &world{}, make(chan struct{})
		slow := restate.NewObject("Slow").Handler("go", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			a := restate.Awakeable[string](ctx)
			if err := restate.RunVoid(ctx, func(restate.RunContext) error { w.put("slow", a.Id()); <-gate; return nil }); err != nil {
				return "", err
			}
			return a.Result()
		}))
		b := newBench(t, Options{Services: []restate.ServiceDefinition{slow}})
		id := send(b, ask("Slow", "x", "go", nil))
		synctest.Wait()
		for _, op := range []machine.Operation{machine.OpPause, machine.OpResume} {
			if _, err := b.rt.Operate(t.Context(), op, id); err != nil {
				t.Fatal(err)
			}
		}
		close(gate)
		synctest.Wait()
		if got := b.status(id); got != "ready" {
			t.Errorf("it is %s", got)
		}
		b.resolve(w, "slow", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		b.close()
	})
}
