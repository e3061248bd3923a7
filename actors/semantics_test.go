package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// only is a service definition with one handler of a service.
func only[I, O any](name string, fn restate.ServiceHandlerFn[I, O], opts ...restate.ServiceDefinitionOption) restate.ServiceDefinition {
	return restate.NewService(name, opts...).Handler("h", restate.NewServiceHandler(fn))
}

func defs(d ...restate.ServiceDefinition) []restate.ServiceDefinition { return d }

// TestSendsAndCallsOfOneHandlerToOneKeyKeepTheirOrder, in each mix.
func TestSendsAndCallsOfOneHandlerToOneKeyKeepTheirOrder(t *testing.T) {
	t.Parallel()
	for _, calls := range [][3]bool{{true, false, false}, {false, true, false}, {true, true, false}} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			t.Parallel()
			w := &world{}
			list := restate.NewObject("List").Handler("append", restate.NewObjectHandler(func(_ restate.ObjectContext, n int) (int, error) {
				w.note("%d", n)
				return n, nil
			}))
			many := only("Many", func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
				var last restate.ResponseFuture[int]
				for n, send := range calls {
					if send {
						restate.ObjectSend(ctx, "List", "x", "append").Send(n)
					} else {
						last = restate.Object[int](ctx, "List", "x", "append").RequestFuture(n)
					}
				}
				_, err := last.Response()
				return restate.Void{}, err
			})
			inBubble(t, Options{Services: defs(list, many)}, func(t *testing.T, b *bench) {
				call(b, ask("Many", "", "h", nil))
				synctest.Wait()
				if got := w.noted(); got != "0 1 2" {
					t.Errorf("arrived as %q", got)
				}
			})
		})
	}
}

// TestTheCountOfARunSurvivesARestart: three executions in all, in two processes.
func TestTheCountOfARunSurvivesARestart(t *testing.T) {
	t.Parallel()
	var executed atomic.Int32
	def := only("S", func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
		return restate.Void{}, restate.RunVoid(ctx, func(restate.RunContext) error {
			executed.Add(1)
			return restate.ToRetryableError(errors.New("busy"), restate.WithErrorCode(503))
		}, restate.WithMaxRetryAttempts(3), restate.WithInitialRetryInterval(time.Minute), restate.WithMaxRetryInterval(time.Minute))
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		id := send(b, ask("S", "", "h", nil))
		advance(time.Second)
		b.crash()
		advance(time.Second)
		b.crash()
		wantFailure(t, attach(b, id), 503)
		if n := executed.Load(); n != 3 {
			t.Errorf("the closure was executed %d times", n)
		}
	})
}

// TestARetryDelayOfTheErrorCountsOnceAndItsCodeIsKept; then the policy goes on.
func TestARetryDelayOfTheErrorCountsOnceAndItsCodeIsKept(t *testing.T) {
	t.Parallel()
	var starts []time.Time
	def := only("S", func(restate.Context, restate.Void) (restate.Void, error) {
		starts = append(starts, time.Now())
		err := restate.ToRetryableError(errors.New("busy"), restate.WithErrorCode(503))
		if len(starts) == 1 {
			err = restate.ToRetryableError(err, restate.WithRetryAfter(time.Hour))
		}
		if len(starts) == 3 {
			return restate.Void{}, nil
		}
		return restate.Void{}, err
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		id := send(b, ask("S", "", "h", nil))
		synctest.Wait()
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
		if err != nil || len(in.Invocation.Failures) != 1 || in.Invocation.Failures[0].Code != 503 {
			t.Errorf("the failures are %+v, %v", in.Invocation.Failures, err)
		}
		attach(b, id)
		if d := starts[1].Sub(starts[0]); d < time.Hour || d > time.Hour+time.Minute {
			t.Errorf("the second attempt came after %v", d)
		}
		if d := starts[2].Sub(starts[1]); d < time.Second || d > 3*time.Second {
			t.Errorf("the third attempt came after %v", d)
		}
	})
}

// TestTheRetryPolicyGrowsToAMinuteAndPausesAfterSeventyAttempts, and a resume
// starts afresh.
func TestTheRetryPolicyGrowsToAMinuteAndPausesAfterSeventyAttempts(t *testing.T) {
	t.Parallel()
	var starts []time.Time
	def := only("S", func(restate.Context, restate.Void) (restate.Void, error) {
		starts = append(starts, time.Now())
		return restate.Void{}, errors.New("busy")
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		id := send(b, ask("S", "", "h", nil))
		advance(3 * time.Hour)
		if got := b.status(id); got != "paused" || len(starts) != 70 {
			t.Fatalf("after %d attempts the invocation is %s", len(starts), got)
		}
		want, spread := 500*time.Millisecond, map[time.Duration]bool{}
		for i := 1; i < len(starts); i++ {
			d := starts[i].Sub(starts[i-1])
			if d < want || d > want*13/10+10*time.Millisecond {
				t.Errorf("delay %d is %v, want %v and at most 30%% more", i, d, want)
			}
			if want = min(2*want, time.Minute); want == time.Minute {
				spread[d] = true
			}
		}
		if len(spread) < 10 {
			t.Errorf("there is no jitter: %d different delays", len(spread))
		}
		if err := ingress.Resume(t.Context(), b.rt.Client(), id.String()); err != nil {
			t.Fatal(err)
		}
		advance(3 * time.Hour)
		if len(starts) != 140 {
			t.Errorf("%d attempts after a resume, want 70 more", len(starts))
		}
	})
}

// TestAPolicyThatKillsEndsWithTheLastError.
func TestAPolicyThatKillsEndsWithTheLastError(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	def := only("S", func(restate.Context, restate.Void) (restate.Void, error) {
		return restate.Void{}, restate.ToRetryableError(fmt.Errorf("error %d", n.Add(1)), restate.WithErrorCode(503))
	}, restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(3), restate.KillOnMaxAttempts()))
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		if r := call(b, ask("S", "", "h", nil)).Result; r.Failure == nil || r.Failure.Code != 503 || r.Failure.Message != "error 3" {
			t.Errorf("the result is %+v", r.Failure)
		}
	})
}

// TestWhoBacksOffOrIsPausedKeepsTheKey.
func TestWhoBacksOffOrIsPausedKeepsTheKey(t *testing.T) {
	t.Parallel()
	w, heal := &world{}, atomic.Bool{}
	def := restate.NewObject("O", restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(2), restate.WithInitialRetryInterval(time.Minute))).
		Handler("h", restate.NewObjectHandler(func(_ restate.ObjectContext, name string) (restate.Void, error) {
			if name == "first" && !heal.Load() {
				return restate.Void{}, errors.New("ill")
			}
			w.note("%s", name)
			return restate.Void{}, nil
		}))
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		first, second := send(b, ask("O", "x", "h", "first")), send(b, ask("O", "x", "h", "second"))
		for _, want := range []string{"backing-off", "paused"} {
			synctest.Wait()
			if got := b.status(first); got != want || w.noted() != "" || b.status(second) != "pending" {
				t.Errorf("the first is %s, want %s; the second is %s, done is %q", got, want, b.status(second), w.noted())
			}
			advance(2 * time.Minute)
		}
		heal.Store(true)
		if err := ingress.Resume(t.Context(), b.rt.Client(), first.String()); err != nil {
			t.Fatal(err)
		}
		attach(b, second)
		if got := w.noted(); got != "first second" {
			t.Errorf("done is %q", got)
		}
	})
}

// TestTheContextOfAClosureEndsWithItsReason: cancel, kill and shutdown.
func TestTheContextOfAClosureEndsWithItsReason(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end  func(b *bench, id string) error
		want error
	}{
		"cancel":   {func(b *bench, id string) error { return ingress.Cancel(b.t.Context(), b.rt.Client(), id) }, restate.ErrCancelled},
		"kill":     {func(b *bench, id string) error { return ingress.Kill(b.t.Context(), b.rt.Client(), id) }, ErrKilled},
		"shutdown": {func(b *bench, _ string) error { b.crash(); return nil }, ErrShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			causes := make(chan error, 4)
			def := only("S", func(ctx restate.Context, _ restate.Void) (string, error) {
				err := restate.RunVoid(ctx, func(rc restate.RunContext) error {
					if len(causes) > 0 {
						return nil
					}
					<-rc.Done()
					causes <- context.Cause(rc)
					return rc.Err()
				})
				if ctx.Err() != nil {
					t.Errorf("the handler's context has ended: %v", ctx.Err())
				}
				if err == nil {
					return "", nil
				}
				return restate.Run(ctx, func(restate.RunContext) (string, error) { return "compensated", nil })
			})
			inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
				id := send(b, ask("S", "", "h", nil))
				synctest.Wait()
				if err := tc.end(b, id.String()); err != nil {
					t.Fatal(err)
				}
				r := attach(b, id)
				if got := <-causes; !errors.Is(got, tc.want) {
					t.Errorf("the cause is %v, want %v", got, tc.want)
				}
				if name == "cancel" {
					wantValue(t, r, `"compensated"`)
				}
			})
		})
	}
}

// TestAnUnknownHandlerIsTerminal404AndStaysIt when a later build binds the name.
func TestAnUnknownHandlerIsTerminal404AndStaysIt(t *testing.T) {
	t.Parallel()
	w := &world{}
	def := only("S", func(ctx restate.Context, _ restate.Void) (string, error) {
		_, err := restate.Object[string](ctx, "Later", "k", "h").Request("x")
		if err == nil {
			return "", errors.New("the call went through")
		}
		return fmt.Sprint(err.Code()), restate.Sleep(ctx, time.Hour)
	})
	later := restate.NewObject("Later").Handler("h", restate.NewObjectHandler(func(_ restate.ObjectContext, s string) (string, error) {
		w.note("called")
		return s, nil
	}))
	inBubble(t, Options{Services: defs(def), InactivityTimeout: -1}, func(t *testing.T, b *bench) {
		id := send(b, ask("S", "", "h", nil))
		advance(time.Minute)
		b.options.Services = defs(def, later)
		b.crash()
		wantValue(t, attach(b, id), `"404"`)
		if got := w.noted(); got != "" {
			t.Errorf("the handler was %s", got)
		}
	})
}

// TestASendToAnUnknownHandlerEndsTheInvocationWith404, and deferred functions run.
func TestASendToAnUnknownHandlerEndsTheInvocationWith404(t *testing.T) {
	t.Parallel()
	w := &world{}
	def := only("S", func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
		defer w.note("deferred")
		restate.ServiceSend(ctx, "Nobody", "h").Send(1)
		w.note("went on")
		return restate.Void{}, nil
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		wantFailure(t, call(b, ask("S", "", "h", nil)).Result, 404)
		if got := w.noted(); got != "deferred" {
			t.Errorf("events are %q", got)
		}
	})
}

// TestAnAttachToAMalformedIdIsTerminal400.
func TestAnAttachToAMalformedIdIsTerminal400(t *testing.T) {
	t.Parallel()
	def := only("S", func(ctx restate.Context, _ restate.Void) (string, error) {
		return restate.AttachInvocation[string](ctx, "inv_bad").Response()
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		wantFailure(t, call(b, ask("S", "", "h", nil)).Result, 400)
	})
}

// TestTheIdempotencyKeyReachesTheHandlerHoweverItWasCalled.
func TestTheIdempotencyKeyReachesTheHandlerHoweverItWasCalled(t *testing.T) {
	t.Parallel()
	w := &world{}
	told := only("Told", func(ctx restate.Context, _ restate.Void) (string, error) {
		w.note("[%s]", ctx.Request().IdempotencyKey)
		return ctx.Request().IdempotencyKey, nil
	})
	caller := only("Caller", func(ctx restate.Context, _ restate.Void) (string, error) {
		restate.ServiceSend(ctx, "Told", "h").Send(restate.Void{}, restate.WithIdempotencyKey("sent"))
		return restate.Service[string](ctx, "Told", "h").Request(restate.Void{}, restate.WithIdempotencyKey("called"))
	})
	inBubble(t, Options{Services: defs(told, caller)}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Caller", "", "h", nil)).Result, `"called"`)
		c := ingress.Service[restate.Void, string](b.rt.Client(), "Told", "h")
		if v, err := c.Request(t.Context(), restate.Void{}, restate.WithIdempotencyKey("asked")); v != "asked" || err != nil {
			t.Errorf("got %q, %v", v, err)
		}
		if v, err := c.Request(t.Context(), restate.Void{}); v != "" || err != nil {
			t.Errorf("without a key got %q, %v", v, err)
		}
		synctest.Wait()
		got := strings.Fields(w.noted())
		slices.Sort(got)
		if strings.Join(got, " ") != "[] [asked] [called] [sent]" {
			t.Errorf("keys are %q", got)
		}
	})
}

// TestACallerOfAKilledInvocationSees409AndItsCodeDoesNotGoOn.
func TestACallerOfAKilledInvocationSees409AndItsCodeDoesNotGoOn(t *testing.T) {
	t.Parallel()
	w := &world{}
	callee := only("Callee", func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
		w.put("id", ctx.Request().ID)
		err := restate.Sleep(ctx, time.Hour)
		w.note("went on with %v", err)
		return restate.Void{}, err
	})
	caller := only("Caller", func(ctx restate.Context, _ restate.Void) (string, error) {
		_, err := restate.Service[restate.Void](ctx, "Callee", "h").Request(restate.Void{})
		return fmt.Sprint(err.Code(), " ", err.Message()), nil
	})
	inBubble(t, Options{Services: defs(callee, caller)}, func(t *testing.T, b *bench) {
		id := send(b, ask("Caller", "", "h", nil))
		synctest.Wait()
		if err := ingress.Kill(t.Context(), b.rt.Client(), w.ids["id"]); err != nil {
			t.Fatal(err)
		}
		wantValue(t, attach(b, id), `"409 killed"`)
		advance(2 * time.Hour)
		if got := w.noted(); got != "" {
			t.Errorf("the killed code %s", got)
		}
	})
}

// TestWhatIsCancelledInTheQueueUnderAKeyKeepsItsResult: 409, and repeating the
// request does not start it.
func TestWhatIsCancelledInTheQueueUnderAKeyKeepsItsResult(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		holder := send(b, ask("Desk", "x", "ask", "holder"))
		r := ask("Desk", "x", "ask", "queued")
		r.IdempotencyKey = "k"
		queued := send(b, r)
		if err := ingress.Cancel(t.Context(), b.rt.Client(), queued.String()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.crash()
		wantFailure(t, attach(b, queued), 409)
		wantFailure(t, call(b, r).Result, 409)
		synctest.Wait()
		b.resolve(w, "holder", "yes")
		attach(b, holder)
		synctest.Wait()
		if got := w.noted(); strings.Contains(got, "queued") {
			t.Errorf("events are %q", got)
		}
	})
}

// TestASleepThatIsOverEndsAtOnceAndInItsPlace: it is recorded, and waited for.
func TestASleepThatIsOverEndsAtOnceAndInItsPlace(t *testing.T) {
	t.Parallel()
	def := only("S", func(ctx restate.Context, d time.Duration) (string, error) {
		timer, a := restate.After(ctx, d), restate.Awakeable[string](ctx)
		restate.ResolveAwakeable(ctx, a.Id(), "x")
		first, err := restate.WaitFirst(ctx, a, timer)
		if err != nil {
			return "", err
		}
		if first == timer {
			return "timer", nil
		}
		return "awakeable", nil
	})
	for _, d := range []time.Duration{0, -time.Hour} {
		inBubble(t, Options{Services: defs(def), InactivityTimeout: -1}, func(t *testing.T, b *bench) {
			start := time.Now()
			id := send(b, ask("S", "", "h", d))
			wantValue(t, attach(b, id), `"timer"`)
			if d := time.Since(start); d > time.Second {
				t.Errorf("it took %v", d)
			}
			in, err := b.rt.Inspect(t.Context(), id, InspectOptions{Journal: true})
			if err != nil || len(in.Journal) < 3 || in.Journal[1].Type.String() != "Sleep" || in.Journal[2].Type.String() != "SleepCompletion" {
				t.Errorf("the journal is %v, %v", in.Journal, err)
			}
		})
	}
}

// TestTheResultOfARunIsDurableBeforeTheHandlerGoesOn.
func TestTheResultOfARunIsDurableBeforeTheHandlerGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, gate := &world{}, make(chan struct{})
		def := only("S", func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
			err := restate.RunVoid(ctx, func(restate.RunContext) error { <-gate; w.note("charged"); return nil })
			w.note("went on")
			return restate.Void{}, err
		})
		b := newBench(t, Options{Services: defs(def)})
		id := send(b, ask("S", "", "h", nil))
		synctest.Wait()
		h := b.hold()
		close(gate)
		synctest.Wait()
		if got := w.noted(); got != "charged" {
			t.Errorf("events are %q before the result is durable", got)
		}
		h.release()
		attach(b, id)
		if got := w.noted(); got != "charged went on" {
			t.Errorf("events are %q", got)
		}
		b.close()
	})
}

// TestLogLinesOfAHandlerCarryInvocationAndTarget.
func TestLogLinesOfAHandlerCarryInvocationAndTarget(t *testing.T) {
	t.Parallel()
	log := &lines{}
	def := restate.NewObject("O").Handler("h", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
		ctx.Log().Info("hello")
		return restate.Void{}, nil
	}))
	inBubble(t, Options{Services: defs(def), Logger: slog.New(slog.NewTextHandler(log, nil))}, func(t *testing.T, b *bench) {
		id := send(b, ask("O", "k", "h", nil))
		attach(b, id)
		if !log.with("msg=hello", id.String(), "O/k/h") {
			t.Errorf("the log is %s", log.buf.String())
		}
	})
}

// TestPlainServicesDoNotQueue: they run beside each other.
func TestPlainServicesDoNotQueue(t *testing.T) {
	t.Parallel()
	var inside atomic.Int32
	def := only("S", func(ctx restate.Context, _ restate.Void) (int32, error) {
		inside.Add(1)
		if err := restate.Sleep(ctx, time.Second); err != nil { // less than what suspends it
			return 0, err
		}
		return inside.Load(), nil
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		var ids []ident.InvocationID
		for range 5 {
			ids = append(ids, send(b, ask("S", "", "h", nil)))
		}
		for _, id := range ids {
			wantValue(t, attach(b, id), "5")
		}
	})
}

// TestACancelOfAnEndedInvocationIsRefusedByName, and one of a handler is ignored.
func TestACancelOfAnEndedInvocationIsRefusedByName(t *testing.T) {
	t.Parallel()
	def := only("S", func(ctx restate.Context, id string) (string, error) {
		if id != "" {
			restate.CancelInvocation(ctx, id)
			restate.ResolveSignal(ctx, id, "s", 1)
		}
		return "ended", nil
	})
	inBubble(t, Options{Services: defs(def)}, func(t *testing.T, b *bench) {
		id := call(b, ask("S", "", "h", "")).ID
		wantValue(t, call(b, ask("S", "", "h", id.String())).Result, `"ended"`)
		_, err := b.rt.Operate(t.Context(), machine.OpCancel, id)
		if status := new(StatusError); !errors.As(err, &status) {
			t.Errorf("cancel gives %v", err)
		}
	})
}
