package dormousetest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func onDisk(t *testing.T, services []restate.ServiceDefinition, body func(*testing.T, *dormousetest.Env), opts ...dormousetest.TestEnvironmentOption) {
	r := httpapi.NewRestate()
	for _, s := range services {
		r.Bind(s)
	}
	body(t, dormousetest.StartWithOptions(t, r, opts...))
}

// everywhere runs a test through both doors.
func everywhere(t *testing.T, body func(t *testing.T, env *dormousetest.Env, d *desk), opts ...dormousetest.TestEnvironmentOption) {
	for name, door := range doors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{}
			door(t, []restate.ServiceDefinition{d.definition()}, func(t *testing.T, env *dormousetest.Env) { body(t, env, d) }, opts...)
		})
	}
}

func TestWhatIsAcknowledgedSurvivesACrashAndARestart(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		add(t, env, 1, 1)
		env.Crash()
		add(t, env, 10, 11)
		env.Restart()
		add(t, env, 100, 111)
		env.Crash()
		env.Crash()
		add(t, env, 1000, 1111)
	})
}

func TestAHandlerThatWaitsGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		first := later(t.Context(), env, "alice", "a laptop")
		id := waiting(t, env, "alice")
		env.Crash()
		second := later(t.Context(), env, "alice", "a laptop")
		if again := waiting(t, env, "alice"); again != id {
			t.Errorf("the awakeable was %s and is %s", id, again)
		}
		if err := ingress.ResolveAwakeable(t.Context(), env.Ingress(), id, "yes"); err != nil {
			t.Fatal(err)
		}
		if got := <-second; got != "a laptop: yes" {
			t.Errorf("got %q", got)
		}
		gotOrBroken(t, <-first, "a laptop: yes")
		if n := d.runs.Load(); n != 1 && n != 2 {
			t.Errorf("the closure was executed %d times", n)
		}
	})
}

func TestTheNextBuildGoesOnWithWhatWaits(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		first := later(t.Context(), env, "alice", "a chair")
		id := waiting(t, env, "alice")
		next := restate.NewObject("Desk").Handler("ask", restate.NewObjectHandler(func(ctx restate.ObjectContext, what string) (string, error) {
			text, err := d.ask(ctx, what)
			return strings.ToUpper(text), err
		}))
		env.Restart(next)
		second := later(t.Context(), env, "alice", "a chair")
		if err := ingress.ResolveAwakeable(t.Context(), env.Ingress(), id, "yes"); err != nil {
			t.Fatal(err)
		}
		if got := <-second; got != "A CHAIR: YES" {
			t.Errorf("got %q", got)
		}
		gotOrBroken(t, <-first, "A CHAIR: YES")
		if n := d.runs.Load(); n != 1 {
			t.Errorf("the closure was executed %d times", n)
		}
		if status, body := get(t, env, env.IngressURL()+"/Desk/alice/status"); status != 404 {
			t.Errorf("a handler of the last build answers %d %s", status, body)
		}
	})
}

func TestBothPortsAnswerAndStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		before := env.IngressURL() + " " + env.AdminURL()
		for range 2 {
			if status, body := get(t, env, env.IngressURL()+"/restate/health"); status != 200 {
				t.Errorf("ingress: %d %s", status, body)
			}
			if status, body := get(t, env, env.AdminURL()+"/version"); status != 200 || !strings.Contains(body, env.IngressURL()) {
				t.Errorf("admin: %d %s", status, body)
			}
			env.Crash()
		}
		if after := env.IngressURL() + " " + env.AdminURL(); after != before {
			t.Errorf("addresses were %s and are %s", before, after)
		}
	})
}

func TestTheIngressClientKnowsTheAdminPort(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Desk", "bob", "ask").Send(t.Context(), "a lamp")
		if err != nil {
			t.Fatal(err)
		}
		waiting(t, env, "bob")
		if err := ingress.Cancel(t.Context(), env.Ingress(), sent.Id()); err != nil {
			t.Fatal(err)
		}
		_, err = ingress.Attach[string](t.Context(), env.Ingress(), sent.Id())
		if err == nil || !strings.Contains(err.Error(), "cancelled") {
			t.Errorf("got %v", err)
		}
	})
}

func TestConnectionsAreRefusedWhileTheRuntimeIsDown(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		add(t, env, 1, 1)
		env.Stop()
		env.Stop()
		env.Kill()
		if env.Runtime() != nil {
			t.Error("there is a runtime")
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, env.IngressURL()+"/restate/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := env.HTTP().Do(r); err == nil {
			t.Errorf("somebody answers %s", answer.Status)
			_ = answer.Body.Close()
		}
		env.Restart()
		add(t, env, 1, 2)
	})
}

func TestTimePassesByItselfInABubble(t *testing.T) {
	t.Parallel()
	d := &desk{}
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(d.definition())
		const week = 7 * 24 * 3600
		start := time.Now()
		got, err := ingress.Object[int, int](env.Ingress(), "Desk", "a", "nap").Request(t.Context(), week)
		if took := time.Since(start); err != nil || got != week || took < week*time.Second || took > (week+60)*time.Second {
			t.Errorf("got %d, %v after %v", got, err, took)
		}
	})
}

func TestASleepGoesOnWhileTheRuntimeIsDown(t *testing.T) {
	t.Parallel()
	d := &desk{}
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(d.definition())
		start := time.Now()
		sent, err := ingress.ObjectSend[int](env.Ingress(), "Desk", "a", "nap").Send(t.Context(), 3600)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		env.Kill()
		<-time.After(50 * time.Minute)
		env.Restart()
		if _, err := ingress.Attach[int](t.Context(), env.Ingress(), sent.Id()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Hour || took > time.Hour+time.Minute {
			t.Errorf("the hour took %v", took)
		}
	})
}

func TestHandlersAreSuspendedAtEveryWaitWhenAsked(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		got := later(t.Context(), env, "alice", "a desk")
		id := waiting(t, env, "alice")
		for range 1000 {
			if env.Runtime().Stats().Attempts == 0 {
				break
			}
			<-time.After(5 * time.Millisecond)
		}
		if s := env.Runtime().Stats(); s.Attempts != 0 {
			t.Errorf("the handler is in memory: %+v", s)
		}
		if err := ingress.ResolveAwakeable(t.Context(), env.Ingress(), id, "no"); err != nil {
			t.Fatal(err)
		}
		if text := <-got; text != "a desk: no" {
			t.Errorf("got %q", text)
		}
	}, dormousetest.SuspendAtEveryWait(), dormousetest.EvictTimers(), dormousetest.LazyState(), dormousetest.DisableRestateLogs)
}

func TestOptionsThatDoNothingSaySo(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) { add(t, env, 1, 1) },
		dormousetest.WithRuntime(actors.Options{MaxRunningHandlers: 1}),
		dormousetest.WithRestateEnv(map[string]string{"RUST_LOG": "debug"}), dormousetest.WithRestateImage("restate:latest"))
}

// TestCodeThatIgnoresAKillDoesNotHoldIt has a closure that waits for the test.
func TestCodeThatIgnoresAKillDoesNotHoldIt(t *testing.T) {
	t.Parallel()
	for name, door := range doors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var gate, entered chan struct{}
			slow := restate.NewService("Slow").Handler("run", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
				return restate.Run(ctx, func(restate.RunContext) (string, error) {
					entered <- struct{}{}
					<-gate
					return "done", nil
				})
			}))
			door(t, []restate.ServiceDefinition{slow}, func(t *testing.T, env *dormousetest.Env) {
				gate, entered = make(chan struct{}), make(chan struct{}, 2)
				sent, err := ingress.ServiceSend[restate.Void](env.Ingress(), "Slow", "run").Send(t.Context(), restate.Void{})
				if err != nil {
					t.Fatal(err)
				}
				<-entered
				env.Crash()
				<-entered
				close(gate)
				got, err := ingress.Attach[string](t.Context(), env.Ingress(), sent.Id())
				if err != nil || got != "done" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		})
	}
}

func TestAKillCancelsClosuresAtOnce(t *testing.T) {
	t.Parallel()
	slow := restate.NewService("Slow").Handler("run", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
		return restate.Run(ctx, func(run restate.RunContext) (string, error) { <-run.Done(); return "", run.Err() })
	}))
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(slow)
		if _, err := ingress.ServiceSend[restate.Void](env.Ingress(), "Slow", "run").Send(t.Context(), restate.Void{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := time.Now()
		env.Kill()
		if took := time.Since(before); took > 100*time.Millisecond {
			t.Errorf("the kill took %v", took)
		}
	})
}

// TestTheRequestsOfManyKeysSurviveCrashesInBetween acknowledges under load and
// crashes at random moments of it.
func TestTheRequestsOfManyKeysSurviveCrashesInBetween(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, env *dormousetest.Env, d *desk) {
		const keys, rounds = 8, 4
		total := 0 // acknowledged in all rounds
		for round := range rounds {
			acknowledged := make(chan int, keys)
			for key := range keys {
				go func() {
					n := 0
					for i := range 5 {
						sum := ingress.Object[int, int](env.Ingress(), "Desk", fmt.Sprintf("k%d", key), "add")
						if _, err := sum.Request(t.Context(), 1, restate.WithIdempotencyKey(fmt.Sprintf("%d-%d-%d", round, key, i))); err != nil {
							break
						}
						n++
					}
					acknowledged <- n
				}()
			}
			total += <-acknowledged
			env.Crash()
			for range keys - 1 {
				total += <-acknowledged
			}
			stored := 0
			for key := range keys {
				n, err := ingress.Object[int, int](env.Ingress(), "Desk", fmt.Sprintf("k%d", key), "add").Request(t.Context(), 0)
				if err != nil {
					t.Fatal(err)
				}
				stored += n
			}
			if stored < total {
				t.Fatalf("round %d: %d are acknowledged and %d are stored", round, total, stored)
			}
		}
	})
}
