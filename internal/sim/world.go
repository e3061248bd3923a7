package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Stats count what happened in a world.
type Stats struct {
	// Steps are choices of who runs next, without those of a long wait at the end
	// in which nothing but retention goes on.
	Steps   uint64
	Commits uint64
	// Lives are the processes, Acked the requests that got an answer.
	Lives, Acked int
	// Invocations are those that handlers have seen.
	Invocations int
	Virtual     time.Duration
	// Digest is the same for two runs of one plan.
	Digest uint64
}

// world is a plan that happens.
type world struct {
	plan      *Plan
	loop      *loop
	chronicle *chronicle
	logger    *slog.Logger
	stats     Stats

	// process, disk and runtime are those of the present life; runtime is nil
	// while it starts, and after it has ended.
	process *process
	disk    *disk
	runtime *actors.Runtime
	// waiting are notified when a life begins or ends.
	waiting []*signal
	// ending is notified when the process shall end at once.
	ending *signal
	// open counts the tasks of clients and answers.
	open int
	// paused are the invocations that a client has paused.
	paused map[string]bool
	// pausing says that a client asks for a pause, maybe not for the first time.
	pausing bool
	// purged are those that a client has purged, or is about to.
	purged map[string]bool
	// calm says that nothing ends the process any more.
	calm bool
}

// Run lets a plan happen, and returns what was found to be wrong, nil for nothing.
// trace, which may be nil, gets a line for everything.
func Run(p *Plan, logger *slog.Logger, trace io.Writer) (Stats, *Violation) {
	w := &world{plan: p, loop: newLoop(p.Seed, p.Limit), logger: logger, paused: make(map[string]bool), purged: make(map[string]bool)}
	w.loop.trace = trace
	w.chronicle = newChronicle(w)
	w.ending = w.loop.world.signal()
	broken := w.loop.run(w.main)
	if w.stats.Steps == 0 {
		w.stats.Steps = w.loop.steps
	}
	w.stats.Virtual, w.stats.Digest = w.loop.now, w.loop.digest
	w.stats.Invocations = len(w.chronicle.subjects)
	return w.stats, broken
}

// discard logs nothing, and formats nothing for it.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// main is the first task of the world.
func (w *world) main() {
	w.begin()
	w.loop.world.Go("operator", w.operate)
	if w.plan.KillAt > 0 {
		w.loop.alarm, w.loop.alarmed = w.plan.KillAt, w.loop.world.signal()
		w.loop.world.Go("killer", func() {
			w.loop.alarmed.Wait()
			w.crash()
		})
	}
	for i := range w.plan.Requests {
		w.task("client", func() { w.serve(&w.plan.Requests[i]) })
	}
	w.settle()
}

// task starts a task of the world that has to end before the world may.
func (w *world) task(name string, fn func()) {
	w.open++
	w.loop.world.Go(name, func() {
		fn()
		w.open--
	})
}

// begin starts a process. It does not wait until it is ready.
func (w *world) begin() {
	w.stats.Lives++
	w.loop.note("life %d begins", w.stats.Lives)
	w.process = w.loop.process()
	if w.disk == nil {
		w.disk = newDisk(w.loop, w.process, &w.stats)
	} else {
		w.disk = w.disk.next(w.process)
		w.chronicle.crash()
	}
	if s := w.plan.Skew; s > 0 {
		w.process.skew = time.Duration(w.loop.rand.Int64N(2*s)-s) * time.Millisecond
	}
	w.disk.faults.slow = time.Duration(w.plan.SlowSync) * time.Millisecond
	w.disk.faults.slowRead = time.Duration(w.plan.SlowRead) * time.Millisecond
	w.disk.faults.ended = w.ending.Notify
	w.disk.removes, w.disk.adopts = w.chronicle.removes, w.adopts
	p := w.process
	p.Go("main", func() {
		rt, err := actors.Open(context.Background(), w.options())
		if err != nil {
			if w.disk.failed {
				return
			}
			w.loop.fail(InvariantPanic, "the runtime does not start: %v", err)
			return
		}
		w.runtime = rt
		w.tellAll()
	})
}

// options are those of the plan.
func (w *world) options() actors.Options {
	h := &w.plan.House
	return actors.Options{
		Store: w.disk, Services: w.services(), Clock: w.process, Scheduler: w.process,
		Random: randomBytes{rand.New(rand.NewPCG(w.plan.Seed, uint64(w.stats.Lives)))}, Logger: w.logger,
		InactivityTimeout: time.Duration(h.Inactivity) * time.Millisecond, Linger: time.Duration(h.Linger) * time.Millisecond,
		AbortTimeout: time.Duration(h.Abort) * time.Millisecond, CloseGrace: time.Duration(h.Abort) * time.Millisecond,
		MaxUndurable: h.Undurable, MaxRunningHandlers: h.MaxRunning, MaxLiveActors: h.MaxLive, MaxHotWaiters: h.MaxHot,
		Stress: actors.Stress{SuspendAtEveryWait: h.SuspendAtEveryWait, LazyState: h.LazyState, EvictTimers: h.EvictTimers},
	}
}

// randomBytes reads bytes that a seed has drawn.
type randomBytes struct{ rand *rand.Rand }

// Read implements io.Reader.
func (r randomBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.rand.Uint32())
	}
	return len(p), nil
}

// tellAll wakes who waits for a life to begin or to end.
func (w *world) tellAll() {
	waiting := w.waiting
	w.waiting = nil
	for _, s := range waiting {
		s.Notify()
	}
}

// operate ends the process as the plan says, and starts the next one.
func (w *world) operate() {
	for i := range w.plan.Ends {
		end := &w.plan.Ends[i]
		w.loop.world.sleep(time.Duration(end.After)*time.Millisecond + time.Duration(w.loop.rand.IntN(1000))*time.Microsecond)
		switch end.Kind {
		case EndBefore, EndAfter:
			w.disk.faults.crashIn, w.disk.faults.after = end.Commits, end.Kind == EndAfter
			w.patience()
		case EndFail:
			w.disk.faults.failIn = end.Commits
			w.patience()
			w.loop.world.sleep(time.Millisecond)
		case EndClose:
			if end.Commits > 0 {
				w.disk.faults.closeIn = end.Commits
				w.patience()
			}
			w.shut()
		}
		w.crash()
	}
	w.calm = true
}

// patience waits for the commit that ends the process, and not for ever.
func (w *world) patience() {
	stop := w.loop.world.AfterFunc(time.Second, w.ending.Notify)
	w.ending.Wait()
	stop()
}

// shut asks the process to end, and waits until it has.
func (w *world) shut() {
	rt, over := w.runtime, w.loop.world.signal()
	if rt == nil {
		return
	}
	w.process.Go("closer", func() {
		// Code that outlives a short grace is abandoned, which Close reports.
		if err := rt.Close(); err != nil && w.plan.Abort == 0 {
			w.loop.fail(InvariantPanic, "close: %v", err)
		}
		over.Notify()
	})
	over.Wait()
}

// crash ends the process, and starts the next one.
func (w *world) crash() {
	w.process.kill()
	w.runtime = nil
	w.begin()
	w.tellAll()
}

// connection is one request on its way.
type connection struct {
	over bool
	wake *signal
}

// ask lets a runtime do something, as soon as there is one. lost says that its
// process has ended before there was an answer.
func (w *world) ask(fn func(*actors.Runtime)) (lost bool) {
	for w.runtime == nil {
		w.await(w.loop.world.signal())
	}
	rt, p := w.runtime, w.process
	c := &connection{wake: w.loop.world.signal()}
	p.Go("connection", func() {
		fn(rt)
		c.over = true
		c.wake.Notify()
	})
	for !c.over && w.process == p {
		w.await(c.wake)
	}
	return !c.over
}

// await waits for s, or for a life to begin or to end.
func (w *world) await(s *signal) {
	w.waiting = append(w.waiting, s)
	s.Wait()
	w.waiting = slices.DeleteFunc(w.waiting, func(other *signal) bool { return other == s })
}

// unfinished returns what is still to be done by what is durable: invocations that
// are not complete, what keys owe each other, and chores.
func (w *world) unfinished() (names []string) {
	w.look(func(r persistence.Reader) error {
		for _, table := range []machine.Table{machine.TableOutbox, machine.TableChore} {
			if err := eachRow(r, table, func(row machine.Row) { names = append(names, fmt.Sprintf("%+v", row)) }); err != nil {
				return err
			}
		}
		return eachRow(r, machine.TableInvocation, func(row machine.Row) {
			if record := row.(*machine.InvocationRow); record.Status != machine.StatusCompleted {
				name := fmt.Sprintf("%s of %s is %s", record.ID, record.Target, record.Status)
				if n := len(record.Failures); n > 0 {
					name += fmt.Sprintf(" (%d failures, the last: %s)", n, record.Failures[n-1].Message)
				}
				names = append(names, name)
			}
		})
	})
	return names
}

// settle waits until every invocation is complete, and judges what is left.
func (w *world) settle() {
	for !w.calm {
		w.loop.world.sleep(10 * time.Millisecond)
	}
	for round := 0; ; round++ {
		left := w.unfinished()
		if len(left) == 0 && w.open == 0 {
			break
		}
		if round == patienceRounds {
			w.loop.fail(InvariantStranded, "%d things are not done, and %d clients wait: %v", len(left), w.open, left)
			return
		}
		if rt := w.runtime; rt != nil && rt.Stats().Quarantined > 0 {
			w.loop.fail(InvariantPrefix, "a key is quarantined: its rows contradict each other")
			return
		}
		w.rescue()
		w.loop.world.sleep(time.Second)
	}
	w.judge()
	if w.plan.Retire {
		w.retire()
	}
	w.stats.Steps = w.loop.steps
}

// patienceRounds is for how many seconds a world may go on when nothing comes from
// outside any more.
const patienceRounds = 600

func itoa(n int) string { return strconv.Itoa(n) }

func keyName(n int) string { return "k" + itoa(n) }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// unquote returns the text of a JSON string.
func unquote(value []byte) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}
