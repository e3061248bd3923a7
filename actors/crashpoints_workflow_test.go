package actors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// crowd is more than one output answers when a promise is completed.
const crowd = 65

// matchmaker runs a workflow that leaves nothing twice under one id, each time
// with a crowd that waits for its promise. What it finds wrong it returns.
func matchmaker() restate.ServiceDefinition {
	return restate.NewObject("Matchmaker").Handler("go", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		for _, value := range []string{"one", "two"} {
			if wrong, err := match(ctx, value); wrong != "" || err != nil {
				return wrong, err
			}
		}
		return "ok", nil
	}))
}

func match(ctx restate.ObjectContext, value string) (wrong string, err error) {
	const id = "m"
	waits := []restate.ResponseFuture[string]{restate.Workflow[string](ctx, "Signup", id, "run").RequestFuture(false)}
	for range crowd {
		waits = append(waits, restate.Workflow[string](ctx, "Signup", id, "wait").RequestFuture("signed"))
	}
	if _, err := restate.Workflow[restate.Void](ctx, "Signup", id, "sign").Request(value); err != nil {
		return "", err
	}
	for i, wait := range waits {
		if got, err := wait.Response(); err != nil || got != value {
			return fmt.Sprintf("wait %d for %s gives %q, %v", i, value, got, err), nil
		}
	}
	left, err := restate.Workflow[string](ctx, "Signup", id, "look").Request(nil)
	if left != " " {
		return fmt.Sprintf("%q is left of %s", left, value), nil
	}
	return "", err
}

// TestACrashAtAnyCommitOfAWorkflowLosesNothing ends the process at each commit of
// two lives of a workflow: its run, a crowd that waits, the completion, the
// chore that answers the crowd, the removal and its sweep.
func TestACrashAtAnyCommitOfAWorkflowLosesNothing(t *testing.T) {
	t.Parallel()
	crashAtEach(t, 20, crashWithinWorkflow)
}

func crashWithinWorkflow(t *testing.T, n int, durable bool) {
	nothing := []restate.ServiceDefinitionOption{restate.WithWorkflowRetention(0), restate.WithJournalRetention(0)}
	b := newBench(t, Options{Services: []restate.ServiceDefinition{signup(nothing...), matchmaker()}, Linger: -1, InactivityTimeout: -1})
	h, r := b.hold(), &replies{b: b}
	q := ask("Matchmaker", "x", "go", nil)
	q.IdempotencyKey = "k"
	r.ask("go", func() (string, error) { return r.send(q) })
	b.crashAfter(h, n, durable, 5*time.Second)
	r.wait()
	wantValue(t, call(b, q).Result, `"ok"`)
	synctest.Wait()
	b.wantEmpty(machine.TableState, machine.TablePromise, machine.TableListener, machine.TablePending, machine.TableChore,
		machine.TableActive, machine.TableTimer, machine.TableOutbox)
	b.close()
}

// crashAfter ends the process at the commit behind the next n ones, before it is
// durable or before anyone hears of it. It waits at most d for each.
func (b *bench) crashAfter(h *held, n int, durable bool, d time.Duration) {
	give := func(token chan struct{}) (given bool) {
		synctest.Wait()
		select {
		case token <- struct{}{}:
			given = true
		case <-time.After(d):
		}
		synctest.Wait()
		return given
	}
	for i := range n {
		if !give(h.before) {
			b.t.Logf("the story is over after %d commits", i)
			break
		}
		give(h.after)
	}
	if durable {
		give(h.before)
	}
	b.crashHeld(h, nil)
}

// TestACrashAtAnyCommitOfARemovalLosesNothing ends the process at each commit
// from the end of the retention of a run to the removal of its workflow, which a
// shared handler holds up.
func TestACrashAtAnyCommitOfARemovalLosesNothing(t *testing.T) {
	t.Parallel()
	crashAtEach(t, 8, crashWithinRemoval)
}

func crashWithinRemoval(t *testing.T, n int, durable bool) {
	b := newBench(t, Options{Services: []restate.ServiceDefinition{signup(restate.WithWorkflowRetention(2 * time.Hour))}, Linger: -1, InactivityTimeout: -1})
	wantValue(t, call(b, ask("Signup", "a", "run", true)).Result, `"quick"`)
	call(b, ask("Signup", "a", "sign", "old"))
	var waits []ident.InvocationID
	for range crowd {
		waits = append(waits, send(b, ask("Signup", "a", "wait", "never")))
	}
	naps := send(b, ask("Signup", "a", "nap", 4))
	synctest.Wait()
	b.crashAfter(b.hold(), n, durable, 5*time.Hour)
	wantValue(t, attach(b, naps), `"waiting"`) // its state stays as long as it does
	for _, id := range waits {
		wantFailure(t, attach(b, id), 404)
	}
	advance(2 * time.Hour)
	synctest.Wait()
	b.wantEmpty(workflowTables()...)
	wantValue(t, call(b, ask("Signup", "a", "look", nil)).Result, `" "`)
	run := send(b, ask("Signup", "a", "run", false))
	call(b, ask("Signup", "a", "sign", "new"))
	wantValue(t, attach(b, run), `"new"`)
	b.close()
}
