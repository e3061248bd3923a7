package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// errand is a handler of many parts: pay, ask, draw, call, and an end that may
// fail.
func errand(w *world) restate.ServiceDefinition {
	return restate.NewService("Errand").Handler("go", restate.NewServiceHandler(func(ctx restate.Context, what string) (string, error) {
		paid, err := restate.Run(ctx, func(restate.RunContext) (int32, error) { return w.runs.Add(1), nil })
		if err != nil {
			return "", err
		}
		a := restate.Awakeable[string](ctx)
		if err := restate.RunVoid(ctx, func(restate.RunContext) error { w.put(what, a.Id()); return nil }); err != nil {
			return "", err
		}
		answer, err := a.Result()
		if err != nil {
			return "", err
		}
		draw := restate.Rand(ctx).Uint64()
		sum, err := restate.Object[int](ctx, "Counter", fmt.Sprint("c", draw%2), "add").Request(1)
		if err != nil {
			return "", err
		}
		w.note("draw:%d", draw)
		if what == "fail" && answer == "no" {
			return "", restate.TerminalErrorf("as asked")
		}
		return fmt.Sprintf("%d %s %d", paid, answer, sum), nil
	}))
}

func restart(b *bench, id ident.InvocationID, from uint32) ident.InvocationID {
	b.t.Helper()
	made, err := b.rt.RestartAsNew(b.t.Context(), id, from)
	if err != nil {
		b.t.Fatal(err)
	}
	return made
}

func TestARestartBeginsAnewWithTheSameInput(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: append(w.services(), errand(w))}, func(t *testing.T, b *bench) {
		q := ask("Errand", "", "go", "fail")
		q.IdempotencyKey = "k"
		old := send(b, q)
		synctest.Wait()
		b.resolve(w, "fail", "no")
		wantFailure(t, attach(b, old), 500)
		made := restart(b, old, 0)
		synctest.Wait()
		b.crash()
		synctest.Wait()
		b.resolve(w, "fail", "yes")
		if got := shown(attach(b, made)); !strings.HasPrefix(got, `"2 yes `) {
			t.Errorf("got %s", got)
		}
		in, err := b.rt.Inspect(t.Context(), made, InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		row := in.Invocation
		if row.RestartedFrom != old || row.InvokedBy != machine.ByRestart || row.IdempotencyKey != "" || made == old {
			t.Errorf("got %+v", row)
		}
		wantFailure(t, attach(b, old), 500) // what it was stays
	})
}

func TestARestartGoesOnBehindTheEntriesThatItCopies(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: append(w.services(), errand(w)), InactivityTimeout: -1}, func(t *testing.T, b *bench) {
		old := send(b, ask("Errand", "", "go", "x"))
		synctest.Wait()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, old), `"1 yes 1"`)
		in, err := b.rt.Inspect(t.Context(), old, InspectOptions{Journal: true})
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, e := range in.Journal {
			types = append(types, e.Type.String())
		}
		if got := strings.Join(types, " "); got != "Input Run RunCompletion Run RunCompletion Signal Call CallInvocationId CallCompletion Output" {
			t.Fatalf("the journal is %s", got)
		}
		for from, want := range map[uint32]string{
			1: "Run whose answer is not copied", 3: "Run whose answer", 4: "awakeable 17", 6: "Call whose answer", 7: "Call whose answer",
			9: "nothing would be left", 10: "the last entry of the journal has the index 9", 1 << 31: "the last entry",
		} {
			if _, err := b.rt.RestartAsNew(t.Context(), old, from); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("from %d: %v", from, err)
			}
		}
		wantValue(t, attach(b, restart(b, old, 5)), `"1 yes 2"`) // the call is made again, the Run is not
		wantValue(t, attach(b, restart(b, old, 8)), `"1 yes 1"`)
		if draws := strings.Fields(w.noted()); len(draws) != 3 || draws[0] != draws[1] || draws[0] != draws[2] {
			t.Errorf("the draws differ: %v", draws)
		}
		if n := w.runs.Load(); n != 1 {
			t.Errorf("the closure was executed %d times", n)
		}
	})
}

func TestARestartIsRefusedWhereItCannotBe(t *testing.T) {
	t.Parallel()
	w := &world{}
	flow := restate.NewWorkflow("Flow").Handler("run", restate.NewWorkflowHandler(func(restate.WorkflowContext, restate.Void) (int, error) { return 1, nil }))
	inBubble(t, Options{Services: append(w.services(), flow)}, func(t *testing.T, b *bench) {
		refused := func(id ident.InvocationID, from uint32, want error) {
			t.Helper()
			if _, err := b.rt.RestartAsNew(t.Context(), id, from); !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
		}
		refused(ident.NewInvocationID(1, [16]byte{1}), 0, ErrUnknownInvocation)
		held := send(b, ask("Desk", "x", "ask", "x"))
		queued := send(b, ask("Desk", "x", "ask", "y"))
		synctest.Wait()
		for id, want := range map[ident.InvocationID]string{held: "it is running", queued: "it is pending"} {
			var status *StatusError
			if _, err := b.rt.RestartAsNew(t.Context(), id, 0); !errors.As(err, &status) || !strings.Contains(err.Error(), want) || status.TooEarly != (id == queued) {
				t.Errorf("got %v", err)
			}
		}
		run := call(b, ask("Flow", "w", "run", nil)).ID
		refused(run, 0, ErrNotRestartable)
		counted := call(b, ask("Counter", "c", "add", 1)).ID
		refused(counted, 1, ErrInvalid) // it reads the state
		if _, err := b.rt.Operate(t.Context(), machine.OpPurgeJournal, counted); err != nil {
			t.Fatal(err)
		}
		refused(counted, 0, ErrJournalGone)
		wantValue(t, attach(b, counted), "1")
		got := call(b, ask("Counter", "c", "get", nil)).ID
		wantValue(t, attach(b, restart(b, got, 1)), "1") // a shared handler may copy what it has read
		b.options.Services = b.options.Services[:1]
		b.crash()
		refused(got, 0, ErrUnknownService)
		advance(24 * time.Hour)
		refused(got, 0, ErrUnknownInvocation) // it has expired, and its rows are there for another hour
	})
}

// TestAJournalThatIsBeingSweptIsGone asks for a restart before the rows of a purged
// journal are removed, which takes several outputs.
func TestAJournalThatIsBeingSweptIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := restate.NewService("Long").Handler("go", restate.NewServiceHandler(func(ctx restate.Context, n int) (int, error) {
			for range n {
				if _, err := restate.Run(ctx, func(restate.RunContext) (string, error) { return strings.Repeat("x", machine.MaxTailBytes), nil }); err != nil {
					return 0, err
				}
			}
			return n, nil
		}))
		b := newBench(t, Options{Services: []restate.ServiceDefinition{long}})
		old := call(b, ask("Long", "", "go", 700)).ID
		h, r := b.hold(), &replies{b: b}
		r.ask("purge", func() (string, error) {
			_, err := b.rt.Operate(t.Context(), machine.OpPurgeJournal, old)
			return "", err
		})
		h.commit()
		if n := rowsOf(t, b.store, machine.TableJournal); n < 100 {
			t.Fatalf("only %d rows are left: the journal is not swept in the background", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := b.rt.RestartAsNew(ctx, old, 0); !errors.Is(err, ErrJournalGone) {
			t.Errorf("got %v", err)
		}
		h.release()
		r.wait()
		b.close()
	})
}

// TestAJournalThatIsTooLongIsNotCopied copies what fits one output, and refuses
// the rest.
func TestAJournalThatIsTooLongIsNotCopied(t *testing.T) {
	t.Parallel()
	w := &world{}
	long := restate.NewService("Long").Handler("go", restate.NewServiceHandler(func(ctx restate.Context, size int) (int, error) {
		for range 1100 {
			if _, err := restate.Run(ctx, func(restate.RunContext) ([]byte, error) { w.runs.Add(1); return make([]byte, size), nil }, restate.WithBinary); err != nil {
				return 0, err
			}
		}
		return size, nil
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{long}}, func(t *testing.T, b *bench) {
		for size, most := range map[int]uint32{1: machine.MaxRestartEntries - 2, 1000: 600, 10_000: machine.MaxRestartEntries - 2} {
			w.runs.Store(0)
			old := call(b, ask("Long", "", "go", size)).ID
			wantValue(t, attach(b, restart(b, old, most)), fmt.Sprint(size))
			if n := w.runs.Load(); n != 1100+1100-int32(most)/2 {
				t.Errorf("size %d: %d closures were executed", size, n)
			}
			if _, err := b.rt.RestartAsNew(t.Context(), old, 2100); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "too far") {
				t.Errorf("size %d: %v", size, err)
			}
		}
	})
}
