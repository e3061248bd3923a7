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
	"github.com/dormouse-run/dormouse/persistence"
)

// signup is a workflow whose run sets a value and waits for its promise; quick
// ends the run at once.
func signup(options ...restate.ServiceDefinitionOption) restate.ServiceDefinition {
	return restate.NewWorkflow("Signup", options...).
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, quick bool) (string, error) {
			restate.Set(ctx, "step", "waiting")
			restate.Set(ctx, "large", strings.Repeat("x", 5000))
			if quick {
				return "quick", nil
			}
			return restate.Promise[string](ctx, "signed").Result()
		})).
		Handler("sign", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, value string) (restate.Void, error) {
			return restate.Void{}, restate.Promise[string](ctx, "signed").Resolve(value)
		})).
		Handler("wait", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, name string) (string, error) {
			return restate.Promise[string](ctx, name).Result()
		})).
		Handler("nap", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, hours int) (string, error) {
			if err := restate.Sleep(ctx, time.Duration(hours)*time.Hour); err != nil {
				return "", err
			}
			step, err := restate.Get[string](ctx, "step")
			return step, err
		})).
		Handler("look", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
			step, err := restate.Get[string](ctx, "step")
			if err != nil {
				return "", err
			}
			signed, err := restate.Promise[string](ctx, "signed").Peek()
			return fmt.Sprintf("%s %s", step, signed), err
		}))
}

// workflowTables hold what is left of a workflow.
func workflowTables() []machine.Table {
	return []machine.Table{
		machine.TableHead, machine.TableState, machine.TablePromise, machine.TableListener,
		machine.TablePending, machine.TableChore, machine.TableActive, machine.TableTimer,
	}
}

func (b *bench) wantEmpty(tables ...machine.Table) {
	b.t.Helper()
	err := b.store.Read(func(r persistence.Reader) error {
		for _, table := range tables {
			for p := range ident.Partition(ident.Partitions) {
				rows, err := r.Scan(machine.Key{Partition: p, Table: table}, machine.Key{}, 1000)
				if err != nil {
					return err
				}
				for _, row := range rows {
					b.t.Errorf("left over in table %q: %+v", table, row)
				}
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestTheEndOfAWorkflowWaitsForItsSharedHandlers is rule R27.
func TestTheEndOfAWorkflowWaitsForItsSharedHandlers(t *testing.T) {
	t.Parallel()
	o := Options{Services: []restate.ServiceDefinition{signup(restate.WithWorkflowRetention(2 * time.Hour))}, InactivityTimeout: -1, Linger: -1}
	inBubble(t, o, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Signup", "a", "run", true)).Result, `"quick"`)
		waits := send(b, ask("Signup", "a", "wait", "never"))
		naps := send(b, ask("Signup", "a", "nap", 6))
		advance(4 * time.Hour) // retention and the hour of removal are over
		synctest.Wait()
		wantFailure(t, attach(b, waits), 404)
		if _, err := b.rt.Output(t.Context(), ident.WorkflowID("Signup", "a")); !errors.Is(err, ErrUnknownInvocation) {
			t.Errorf("the output of the run after its retention gives %v", err)
		}
		wantFailure(t, call(b, ask("Signup", "a", "run", true)).Result, 409)
		wantFailure(t, call(b, ask("Signup", "a", "wait", "other")).Result, 404)
		b.crash()
		wantValue(t, attach(b, naps), `"waiting"`) // the state was still there
		synctest.Wait()
		b.wantEmpty(workflowTables()...)
		wantValue(t, call(b, ask("Signup", "a", "look", nil)).Result, `" "`)
		run := send(b, ask("Signup", "a", "run", false))
		call(b, ask("Signup", "a", "sign", "again"))
		wantValue(t, attach(b, run), `"again"`)
		advance(30 * time.Hour)
		synctest.Wait()
		b.wantEmpty(append(workflowTables(), machine.TableInvocation, machine.TableJournal, machine.TableExpiry)...)
	})
}

func TestAWorkflowWithoutARunExpiresAfterItsLastInvocation(t *testing.T) {
	t.Parallel()
	o := Options{Services: []restate.ServiceDefinition{signup(restate.WithWorkflowRetention(10*time.Hour), restate.WithJournalRetention(0))}}
	inBubble(t, o, func(t *testing.T, b *bench) {
		call(b, ask("Signup", "a", "sign", "early"))
		advance(8 * time.Hour)
		wantValue(t, call(b, ask("Signup", "a", "look", nil)).Result, `" early"`)
		advance(8 * time.Hour) // ten hours after the first, not after the last
		wantValue(t, call(b, ask("Signup", "a", "look", nil)).Result, `" early"`)
		advance(12 * time.Hour)
		synctest.Wait()
		b.wantEmpty(append(workflowTables(), machine.TableExpiry, machine.TableInvocation)...)
		wantValue(t, call(b, ask("Signup", "a", "look", nil)).Result, `" "`)
	})
}

func TestWithoutRetentionAWorkflowLeavesNothing(t *testing.T) {
	t.Parallel()
	o := Options{Services: []restate.ServiceDefinition{signup(restate.WithWorkflowRetention(0), restate.WithJournalRetention(0))}, InactivityTimeout: -1}
	inBubble(t, o, func(t *testing.T, b *bench) {
		for _, value := range []string{"one", "two"} {
			run := send(b, ask("Signup", "a", "run", false))
			synctest.Wait()
			waits := send(b, ask("Signup", "a", "wait", "signed"))
			synctest.Wait()
			done := make(chan string, 2)
			for _, id := range []ident.InvocationID{run, waits} {
				go func() { done <- string(attach(b, id).Value) }()
			}
			synctest.Wait()
			call(b, ask("Signup", "a", "sign", value))
			for range 2 {
				if got, want := <-done, `"`+value+`"`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			synctest.Wait()
			b.wantEmpty(append(workflowTables(), machine.TableInvocation, machine.TableJournal)...)
		}
	})
}

// TestACrashAtAnyCommitLosesNoPromise ends the process at each commit of a run
// that waits and a shared handler that completes its promise.
func TestACrashAtAnyCommitLosesNoPromise(t *testing.T) {
	t.Parallel()
	crashAtEach(t, 9, crashBesidePromise)
}

func crashBesidePromise(t *testing.T, n int, durable bool) {
	o := Options{Services: []restate.ServiceDefinition{signup(restate.WithWorkflowRetention(time.Hour))}, Linger: -1, InactivityTimeout: -1}
	b := newBench(t, o)
	h, r := b.hold(), &replies{b: b}
	run, sign, wait := ask("Signup", "a", "run", false), ask("Signup", "a", "sign", "yes"), ask("Signup", "a", "wait", "signed")
	sign.IdempotencyKey, wait.IdempotencyKey = "s", "w"
	for name, q := range map[string]Request{"run": run, "wait": wait, "sign": sign} {
		r.ask(name, func() (string, error) { return r.send(q) })
	}
	for range n {
		h.try(h.before)
		h.try(h.after)
	}
	if durable {
		h.try(h.before)
	}
	b.crashHeld(h, nil)
	r.wait()
	id := send(b, run)
	if signed := call(b, sign).Result; signed.Failure != nil {
		t.Errorf("the completion gives %v", signed.Failure)
	}
	wantValue(t, attach(b, id), `"yes"`)
	wantValue(t, call(b, wait).Result, `"yes"`)
	synctest.Wait()
	b.wantEmpty(machine.TableListener, machine.TablePending, machine.TableActive)
	advance(3 * time.Hour)
	synctest.Wait()
	b.wantEmpty(workflowTables()...)
	b.close()
}

func TestAMissingRowOfAWaitForAPromiseIsFound(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(l *machine.ListenerRow) (machine.Key, string){
		"the listener": func(l *machine.ListenerRow) (machine.Key, string) { return l.Key(), "its place at promise 1" },
		"the promise": func(l *machine.ListenerRow) (machine.Key, string) {
			p := machine.PromiseRow{Partition: l.Partition, Object: l.Object, Generation: l.Generation, Name: "signed"}
			return p.Key(), `promise "signed" that it waits for`
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{Services: []restate.ServiceDefinition{signup()}, InactivityTimeout: -1}, func(t *testing.T, b *bench) {
				id := send(b, ask("Signup", "x", "run", false))
				advance(2 * time.Minute)
				synctest.Wait()
				if n := b.rt.Stats().Quarantined; n != 0 {
					t.Fatalf("%d keys are quarantined while nothing is missing", n)
				}
				key, what := damage(b.listenerOf(id))
				b.damage(key)
				advance(2 * time.Minute)
				synctest.Wait()
				var quarantined *QuarantinedError
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if _, err := b.rt.Attach(ctx, id); !errors.As(err, &quarantined) || !strings.Contains(err.Error(), what) {
					t.Errorf("attach gives %v, want a quarantine that names %q", err, what)
				}
			})
		})
	}
}

// listenerOf returns the row by which a run waits for its first promise.
func (b *bench) listenerOf(id ident.InvocationID) (l *machine.ListenerRow) {
	b.t.Helper()
	if err := b.store.Read(func(r persistence.Reader) error {
		rows, err := r.Scan(machine.Key{Partition: id.Partition(), Table: machine.TableListener}, machine.Key{}, 10)
		for _, row := range rows {
			if row := row.(*machine.ListenerRow); row.ID == id {
				l = row
			}
		}
		return err
	}); err != nil || l == nil {
		b.t.Fatalf("%s waits for no promise: %v", id, err)
	}
	return l
}

// TestThoseWhoWaitForOnePromiseGoOnSideBySide: one output starts an attempt of each of
// them, and what comes for one must not go to another.
func TestThoseWhoWaitForOnePromiseGoOnSideBySide(t *testing.T) {
	t.Parallel()
	def := restate.NewWorkflow("Gate").
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, _ restate.Void) (string, error) {
			return restate.Promise[string](ctx, "open").Result()
		})).
		Handler("open", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, value string) (restate.Void, error) {
			return restate.Void{}, restate.Promise[string](ctx, "open").Resolve(value)
		})).
		Handler("pass", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, n int) (string, error) {
			if _, err := restate.Promise[string](ctx, "open").Result(); err != nil {
				return "", err
			}
			if err := restate.Sleep(ctx, time.Duration(n)*time.Second); err != nil {
				return "", err
			}
			return restate.Run(ctx, func(restate.RunContext) (string, error) { return fmt.Sprint("passed ", n), nil })
		}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}, InactivityTimeout: time.Second}, func(t *testing.T, b *bench) {
		send(b, ask("Gate", "g", "run", nil))
		var waiting []ident.InvocationID
		for n := range 5 {
			waiting = append(waiting, send(b, ask("Gate", "g", "pass", 5-n)))
		}
		advance(10 * time.Second) // all of them are suspended
		call(b, ask("Gate", "g", "open", "yes"))
		synctest.Wait() // the attempt of open itself may end after its answer
		if n := b.rt.Stats().Attempts; n != len(waiting) {
			t.Errorf("%d attempts are in memory, of %d that go on", n, len(waiting))
		}
		advance(10 * time.Second)
		for n, id := range waiting {
			wantValue(t, attach(b, id), fmt.Sprintf(`"passed %d"`, 5-n))
		}
	})
}
