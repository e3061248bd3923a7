package actors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// knots are objects that call each other as a test wants it.
//
// The input of Knot/k/do is a list of steps, the first of which it does, handing
// the rest on: "call b" calls Knot/b/do, "late b" calls it and waits only when it
// is told to, "via b" calls it through a plain service, "timed b" waits for it or
// for a minute, "both b c" waits for the first of two, "attach" attaches to what
// was sent last, "gate" waits for an awakeable first. Without steps left it
// returns "done".
type knots struct {
	world
	log lockedLog
}

// lockedLog is a log that a test reads while others write.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns the whole log.
func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lockedLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func (w *knots) options(opts ...restate.ServiceDefinitionOption) Options {
	knot := restate.NewObjectHandler(w.do)
	return Options{
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Services: []restate.ServiceDefinition{
			restate.NewObject("Knot", opts...).Handler("do", knot),
			restate.NewObject("Plain").Handler("do", knot),
			restate.NewService("Relay", opts...).Handler("do", restate.NewServiceHandler(w.relay)),
		},
	}
}

func (w *knots) relay(ctx restate.Context, steps []string) (string, error) {
	return next(ctx, steps).Response()
}

// next calls the object that the first step names.
func next(ctx restate.Context, steps []string) restate.ResponseFuture[string] {
	f := strings.Fields(steps[0])
	service := "Knot"
	key, plain := strings.CutPrefix(f[1], "plain:")
	if plain {
		service = "Plain"
	}
	key, idempotent, _ := strings.Cut(key, "#")
	c := restate.Object[string](ctx, service, key, "do")
	if idempotent != "" {
		return c.RequestFuture(steps[1:], restate.WithIdempotencyKey(idempotent))
	}
	return c.RequestFuture(steps[1:])
}

func (w *knots) do(ctx restate.ObjectContext, steps []string) (string, error) {
	w.note("start:%s", restate.Key(ctx))
	answer, err := w.step(ctx, steps)
	if err != nil {
		w.note("failed:%s", restate.Key(ctx))
		var terminal restate.TerminalError
		if errors.As(err, &terminal) && terminal.Code() == 508 {
			return "508 " + terminal.Message(), nil
		}
		return "", err
	}
	w.note("end:%s", restate.Key(ctx))
	return answer, nil
}

func (w *knots) step(ctx restate.ObjectContext, steps []string) (string, error) {
	if len(steps) == 0 {
		return "done", nil
	}
	f := strings.Fields(steps[0])
	switch f[0] {
	case "call":
		return next(ctx, steps).Response()
	case "via":
		steps[0] = "call " + f[1]
		return restate.Service[string](ctx, "Relay", "do").Request(steps)
	case "late":
		answer := next(ctx, steps)
		if err := w.gate(ctx, restate.Key(ctx)); err != nil {
			return "", err
		}
		return answer.Response()
	case "gate":
		if err := w.gate(ctx, restate.Key(ctx)); err != nil {
			return "", err
		}
		return w.step(ctx, steps[1:])
	case "timed":
		answer, timer := next(ctx, steps), restate.After(ctx, time.Minute)
		first, err := restate.WaitFirst(ctx, answer, timer)
		if err != nil || first == timer {
			return "late", err
		}
		return answer.Response()
	case "both":
		a, b := next(ctx, []string{"call " + f[1]}), next(ctx, append([]string{"call " + f[2]}, steps[1:]...))
		first, err := restate.WaitFirst(ctx, a, b)
		if err != nil {
			return "", err
		}
		return first.(restate.ResponseFuture[string]).Response()
	case "attach":
		id := restate.ObjectSend(ctx, "Knot", f[1], "do").Send(steps[1:]).GetInvocationId()
		return restate.AttachInvocation[string](ctx, id).Response()
	default:
		return "", restate.TerminalErrorf("no step %s", f[0])
	}
}

// gate waits for an awakeable, which it hands out under a name.
func (w *knots) gate(ctx restate.ObjectContext, name string) error {
	a := restate.Awakeable[string](ctx)
	if err := restate.RunVoid(ctx, func(restate.RunContext) error {
		w.put(name, a.Id())
		return nil
	}); err != nil {
		return err
	}
	_, err := a.Result()
	return err
}

func knot(key string, steps ...string) Request { return ask("Knot", key, "do", steps) }

// deadlock returns the targets and statuses of the cycle that an invocation is
// in, and its ids.
func (b *bench) deadlock(id ident.InvocationID) (shown string, ids []ident.InvocationID) {
	b.t.Helper()
	in, err := b.rt.Inspect(b.t.Context(), id, InspectOptions{Deadlock: true})
	if err != nil {
		b.t.Fatalf("inspect: %v", err)
	}
	var words []string
	for _, id := range in.Deadlock {
		member, err := b.rt.Inspect(b.t.Context(), id, InspectOptions{})
		if err != nil {
			b.t.Fatalf("inspect: %v", err)
		}
		words = append(words, member.Invocation.Target.String()+" "+member.Invocation.Status.String())
	}
	return strings.Join(words, ", "), in.Deadlock
}

// found fails the test unless n cycles were found, each of which was logged.
func (w *knots) found(b *bench, n uint64) {
	b.t.Helper()
	if got := b.rt.Stats().Deadlocks; got != n {
		b.t.Fatalf("%d deadlocks were found, want %d; the log is:\n%s", got, n, w.log.String())
	}
}

// look lets the detector look.
func look() {
	advance(time.Second)
	synctest.Wait()
}

// A cycle is found while its handlers wait in memory and when they are
// suspended, and the other way round after a crash.
func TestCallsThatWaitForEachOtherAreFound(t *testing.T) {
	t.Parallel()
	cycles := map[string]struct {
		requests []Request
		want     string
	}{
		"a call to the own key": {
			[]Request{knot("a", "call a")},
			"Knot/a/do X, Knot/a/do pending"},
		"a to b to a": {
			[]Request{knot("a", "call b", "call a")},
			"Knot/a/do X, Knot/b/do X, Knot/a/do pending"},
		"three keys": {
			[]Request{knot("a", "call b", "call c", "call a")},
			"Knot/a/do X, Knot/b/do X, Knot/c/do X, Knot/a/do pending"},
		"through a plain service": {
			[]Request{knot("a", "via a")},
			"Knot/a/do X, Relay/do X, Knot/a/do pending"},
		"two that call each other": {
			[]Request{knot("a", "gate", "call b"), knot("b", "gate", "call a")},
			"Knot/a/do X, Knot/b/do pending, Knot/b/do X, Knot/a/do pending"},
		"an attach": {
			[]Request{knot("a", "attach a")},
			"Knot/a/do X, Knot/a/do pending"},
		"the first of two that are both stuck": {
			[]Request{knot("a", "both a a")},
			"Knot/a/do X, Knot/a/do pending"},
		"a join of an invocation that waits for the caller": {
			[]Request{knot("a", "call b#k", "call b#k")},
			"Knot/b/do X"},
		"an idempotent call": {
			[]Request{knot("a", "call a#k")},
			"Knot/a/do X, Knot/a/do pending"},
	}
	for name, c := range cycles {
		for mode, inactivity := range map[string]time.Duration{"ready": 0, "suspended": -1} {
			t.Run(name+" "+mode, func(t *testing.T) {
				t.Parallel()
				w := &knots{}
				o := w.options()
				o.InactivityTimeout = inactivity
				inBubble(t, o, func(t *testing.T, b *bench) {
					var ids []ident.InvocationID
					for _, r := range c.requests {
						ids = append(ids, send(b, r))
					}
					synctest.Wait()
					for _, r := range c.requests {
						if bytes.Contains(r.Body, []byte("gate")) {
							b.resolve(&w.world, r.Key, "go")
						}
					}
					look()
					w.found(b, 1)
					if got, _ := b.deadlock(ids[0]); got != strings.ReplaceAll(c.want, "X", mode) {
						t.Errorf("the cycle is %s", got)
					}
					look()
					b.crash()
					look()
					w.found(b, 1)
					if n := w.log.count("calls wait for each other"); n != 2 {
						t.Errorf("it was logged %d times in two lives of the process", n)
					}
					if got, _ := b.deadlock(ids[0]); got != strings.ReplaceAll(c.want, "X", "suspended") {
						t.Errorf("after the crash the cycle is %s", got)
					}
				})
			})
		}
	}
}

// The cycle closes by an await, long after the calls were queued.
func TestALateAwaitClosesACycle(t *testing.T) {
	t.Parallel()
	for mode, inactivity := range map[string]time.Duration{"in memory": 0, "suspended": -1} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := &knots{}
			o := w.options()
			o.InactivityTimeout = inactivity
			inBubble(t, o, func(t *testing.T, b *bench) {
				id := send(b, knot("a", "late a"))
				look()
				w.found(b, 0)
				if got, _ := b.deadlock(id); got != "" {
					t.Errorf("the cycle is %s before anybody waits", got)
				}
				b.resolve(&w.world, "a", "go")
				look()
				w.found(b, 1)
				if _, ids := b.deadlock(id); len(ids) != 2 || ids[0] != id {
					t.Errorf("the cycle is %v", ids)
				}
			})
		})
	}
}

// So does one that closes after a crash, or when the last way out is gone.
func TestACycleThatClosesAfterACrashIsFound(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(), func(t *testing.T, b *bench) {
		id := send(b, knot("a", "call b", "late a"))
		look()
		b.crash()
		look()
		w.found(b, 0)
		b.resolve(&w.world, "b", "go")
		look()
		w.found(b, 1)
		if got, _ := b.deadlock(id); strings.Count(got, "Knot/") != 3 {
			t.Errorf("the cycle is %s", got)
		}
	})
}

func TestWhoCanStillWakeUpIsInNoDeadlock(t *testing.T) {
	t.Parallel()
	for mode, inactivity := range map[string]time.Duration{"in memory": 0, "suspended": -1} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := &knots{}
			o := w.options(restate.WithFailOnDeadlock())
			o.InactivityTimeout = inactivity
			inBubble(t, o, func(t *testing.T, b *bench) {
				timed := send(b, knot("a", "timed a"))
				gated := send(b, knot("b", "call c", "gate", "call b"))
				look()
				if got, _ := b.deadlock(timed); got != "" {
					t.Errorf("the cycle is %s", got)
				}
				wantValue(t, attach(b, timed), `"late"`)
				w.found(b, 0)
				b.resolve(&w.world, "c", "go")
				advance(time.Second)
				wantFailureOf508(t, b, gated)
				w.found(b, 1)
			})
		})
	}
}

// wantFailureOf508 fails the test unless some handler of a chain has got 508.
func wantFailureOf508(t *testing.T, b *bench, id ident.InvocationID) string {
	t.Helper()
	r := attach(b, id)
	var answer string
	if err := json.Unmarshal(r.Value, &answer); err != nil || !strings.HasPrefix(answer, "508 ") {
		t.Fatalf("the result is %s (%+v), want an answer of a handler that got 508", r.Value, r.Failure)
	}
	return answer
}

func TestCancelAndKillFreeADeadlock(t *testing.T) {
	t.Parallel()
	for _, op := range []machine.Operation{machine.OpCancel, machine.OpKill} {
		for mode, inactivity := range map[string]time.Duration{"in memory": 0, "suspended": -1} {
			t.Run(op.String()+" "+mode, func(t *testing.T) {
				t.Parallel()
				w := &knots{}
				o := w.options()
				o.InactivityTimeout = inactivity
				inBubble(t, o, func(t *testing.T, b *bench) {
					id := send(b, knot("a", "call b", "call a"))
					behind := send(b, knot("a"))
					look()
					w.found(b, 1)
					if _, err := b.rt.Operate(t.Context(), op, id); err != nil {
						t.Fatal(err)
					}
					wantFailure(t, attach(b, id), 409)
					wantValue(t, attach(b, behind), `"done"`)
					wantValue(t, call(b, knot("b")).Result, `"done"`)
					look()
					w.found(b, 1)
					if n := len(b.rt.deadlocks.marks); n != 0 {
						t.Errorf("%d marks are left", n)
					}
				})
			})
		}
	}
}

func TestWithFailOnDeadlockTheCallThatClosesTheCycleFails(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]Request{
		"own key":    knot("a", "call a"),
		"a to b":     knot("a", "call b", "call a"),
		"three keys": knot("a", "call b", "call c", "call a"),
		"a service":  knot("a", "via a"),
		"late":       knot("a", "late a"),
		"both":       knot("a", "both a a"),
		"idempotent": knot("a", "call a#k"),
		"joined":     knot("a", "call b#k", "call b#k"),
	} {
		for mode, inactivity := range map[string]time.Duration{"in memory": 0, "suspended": -1} {
			t.Run(name+" "+mode, func(t *testing.T) {
				t.Parallel()
				w := &knots{}
				o := w.options(restate.WithFailOnDeadlock())
				o.InactivityTimeout = inactivity
				inBubble(t, o, func(t *testing.T, b *bench) {
					id := send(b, request)
					behind := send(b, knot("a"))
					synctest.Wait()
					if name == "late" {
						b.resolve(&w.world, "a", "go")
					}
					look()
					answer := wantFailureOf508(t, b, id)
					if name != "joined" && !strings.Contains(answer, "is queued behind Knot/a/do ("+id.String()+")") {
						t.Errorf("the message is %q", answer)
					}
					wantValue(t, attach(b, behind), `"done"`)
					for _, key := range []string{"a", "b", "c"} {
						wantValue(t, call(b, knot(key)).Result, `"done"`)
					}
					look()
					w.found(b, 1)
				})
			})
		}
	}
}

// Of the services in a cycle only those with the option have calls that fail,
// whoever was first.
func TestTheOptionIsThatOfTheCaller(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(restate.WithFailOnDeadlock()), func(t *testing.T, b *bench) {
		waits := send(b, ask("Plain", "a", "do", []string{"call plain:a"}))
		look()
		if got := b.status(waits); got != "ready" {
			t.Errorf("the call of a service without the option is %s", got)
		}
		first := send(b, knot("a", "gate", "call plain:b"))
		second := send(b, ask("Plain", "b", "do", []string{"gate", "call a"}))
		synctest.Wait()
		b.resolve(&w.world, "a", "go")
		advance(time.Second) // its call is queued before the one that closes the cycle
		b.resolve(&w.world, "b", "go")
		advance(time.Second)
		wantFailureOf508(t, b, first)
		wantValue(t, attach(b, second), `"done"`)
		w.found(b, 2)
	})
}

// A crash between the report and the failure forgets neither: here the build
// that wants the failure comes after the crash.
func TestADeadlockFromBeforeACrashFails(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]string{"own key": {"call a"}, "service": {"via a"}, "keys": {"call b", "call a"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &knots{}
			inBubble(t, w.options(), func(t *testing.T, b *bench) {
				id := send(b, knot("a", steps...))
				look()
				b.options = w.options(restate.WithFailOnDeadlock())
				b.crash()
				advance(time.Minute)
				wantFailureOf508(t, b, id)
			})
		})
	}
}

// Two that wait for one queued invocation: only the one in the cycle is told,
// and the other gets the result in the end.
func TestOnlyTheCallerInTheCycleGetsTheFailure(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(restate.WithFailOnDeadlock()), func(t *testing.T, b *bench) {
		inner := send(b, knot("a", "gate", "call a#k"))
		other := send(b, knot("b", "call a#k"))
		look()
		w.found(b, 0)
		b.resolve(&w.world, "a", "go")
		wantFailureOf508(t, b, inner)
		wantValue(t, attach(b, other), `"done"`)
		w.found(b, 1)
	})
}

// The detector reads nothing for calls that find their key free, however they
// wait.
func TestACallThatDoesNotQueueCostsNoLook(t *testing.T) {
	t.Parallel()
	for mode, inactivity := range map[string]time.Duration{"in memory": 0, "suspended": -1} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := &knots{}
			o := w.options()
			o.InactivityTimeout = inactivity
			inBubble(t, o, func(t *testing.T, b *bench) {
				look() // that of the start
				d := b.rt.deadlocks
				reads, looks := d.reads.Load(), d.looks.Load()
				for i := range 20 {
					key := fmt.Sprint("k", i)
					id := send(b, knot(key, "call b"+key, "via c"+key, "gate"))
					look()
					b.resolve(&w.world, "c"+key, "go")
					wantValue(t, attach(b, id), `"done"`)
				}
				look()
				if d.reads.Load() != reads || d.looks.Load() != looks {
					t.Errorf("%d looks and %d reads", d.looks.Load()-looks, d.reads.Load()-reads)
				}
			})
		})
	}
}

// Calls of one key share a look, and a look at a holder who can go on is short.
func TestQueuedCallsOfOneKeyShareALook(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(), func(t *testing.T, b *bench) {
		holder := send(b, knot("a", "gate"))
		look()
		d := b.rt.deadlocks
		reads := d.reads.Load()
		var ids []ident.InvocationID
		for i := range 100 {
			ids = append(ids, send(b, knot(fmt.Sprint("k", i), "call a")))
		}
		look()
		if n := d.reads.Load() - reads; n > 20 {
			t.Errorf("100 calls that queue for one key were %d reads", n)
		}
		b.resolve(&w.world, "a", "go")
		wantValue(t, attach(b, holder), `"done"`)
		for _, id := range ids {
			wantValue(t, attach(b, id), `"done"`)
		}
		w.found(b, 0)
	})
}

// Whoever waits for a deadlock from outside is shown it.
func TestWhoWaitsForADeadlockIsShownIt(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(), func(t *testing.T, b *bench) {
		id := send(b, knot("a", "call a"))
		outside := send(b, knot("b", "call a"))
		look()
		w.found(b, 1)
		if _, ids := b.deadlock(outside); len(ids) != 2 || !slices.Contains(ids, id) {
			t.Errorf("the cycle is %v", ids)
		}
		if _, ids := b.deadlock(send(b, knot("c", "gate"))); len(ids) != 0 {
			t.Errorf("one that waits for an answer from outside is in the cycle %v", ids)
		}
	})
}

// What the core says of a suspended invocation counts when that is marked: the
// mark may have come while the suspension was on its way to the disk.
func TestTheSuspensionOfAMarkedInvocationIsLookedAt(t *testing.T) {
	t.Parallel()
	w := &knots{}
	o := w.options()
	o.InactivityTimeout = -1
	inBubble(t, o, func(t *testing.T, b *bench) {
		id := send(b, knot("a", "call b", "gate"))
		look()
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
		if err != nil || in.Invocation.Status != machine.StatusSuspended {
			t.Fatalf("it is %v, %v", in.Invocation.Status, err)
		}
		d := b.rt.deadlocks
		for _, marked := range []bool{false, true} {
			looks := d.looks.Load()
			if marked {
				d.mark(in.Invocation.Birth)
			}
			b.rt.perform(&machine.Awaiting{Birth: in.Invocation.Birth, ID: id}, nil, 0)
			look()
			if n := d.looks.Load() - looks; (n == 1) != marked {
				t.Errorf("marked %t: %d looks", marked, n)
			}
		}
	})
}
