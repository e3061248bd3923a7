package sim

import (
	"slices"
	"testing"
	"time"
)

// runTasks runs main as the first task of a loop.
func runTasks(t *testing.T, main func(l *loop)) {
	t.Helper()
	l := newLoop(1, 10_000)
	if broken := l.run(func() { main(l) }); broken != nil {
		t.Error(broken)
	}
}

func TestTasksOfAKilledProcessEndWhereTheyStand(t *testing.T) {
	t.Parallel()
	var story []string
	runTasks(t, func(l *loop) {
		p, never := l.process(), l.world.signal()
		p.Go("waits", func() {
			defer func() { story = append(story, "unwound") }()
			p.Signal().Wait()
			story = append(story, "went on")
		})
		p.AfterFunc(time.Second, func() { story = append(story, "fired") })
		l.world.sleep(time.Millisecond)
		p.Go("never begins", func() { story = append(story, "began") })
		p.kill()
		p.Go("comes late", func() { story = append(story, "came") })
		l.world.AfterFunc(time.Minute, never.Notify)
		never.Wait()
	})
	if !slices.Equal(story, []string{"unwound"}) {
		t.Errorf("%q", story)
	}
}

func TestANotificationBeforeWaitIsKept(t *testing.T) {
	t.Parallel()
	var story []string
	runTasks(t, func(l *loop) {
		s, done := l.world.signal(), make(chan struct{})
		s.Notify()
		s.Notify() // counts as one with the first
		s.Wait()
		l.world.Go("closer", func() {
			l.world.sleep(time.Millisecond)
			story = append(story, "closed")
			close(done)
		})
		s.WaitOr(done)
		story = append(story, "woken")
	})
	if !slices.Equal(story, []string{"closed", "woken"}) {
		t.Errorf("%q", story)
	}
}

func TestTimersFireInOrderUnlessTheyAreStopped(t *testing.T) {
	t.Parallel()
	var fired []int
	runTasks(t, func(l *loop) {
		for _, ms := range []int{30, 10, 20} {
			l.world.AfterFunc(time.Duration(ms)*time.Millisecond, func() { fired = append(fired, ms) })
		}
		stop := l.world.AfterFunc(15*time.Millisecond, func() { fired = append(fired, 15) })
		if !stop() || stop() {
			t.Error("a timer is stopped once")
		}
		l.world.sleep(time.Second)
	})
	if !slices.Equal(fired, []int{10, 20, 30}) {
		t.Errorf("%v", fired)
	}
}

func TestWhoCanNeverRunIsStranded(t *testing.T) {
	t.Parallel()
	l := newLoop(1, 10_000)
	broken := l.run(func() { l.world.Signal().Wait() })
	if broken == nil || broken.Invariant != InvariantStranded {
		t.Errorf("%v", broken)
	}
}

func TestAPanicOfATaskIsReported(t *testing.T) {
	t.Parallel()
	l := newLoop(1, 10_000)
	broken := l.run(func() {
		l.world.Go("fails", func() { panic("on purpose") })
		l.world.sleep(time.Second)
	})
	if broken == nil || broken.Invariant != InvariantPanic {
		t.Errorf("%v", broken)
	}
}

// TestShrinkKeepsWhatBreaks takes everything away from a plan that a fault does not
// need: here a limit of steps that no world keeps.
func TestShrinkKeepsWhatBreaks(t *testing.T) {
	t.Parallel()
	p := NewPlan(7, Small())
	p.Limit = 50
	_, broken := Run(p, discard(), nil)
	if broken == nil {
		t.Fatal("a world of 50 steps")
	}
	smaller, still := Shrink(p, broken, 10*time.Second)
	if still.Invariant != broken.Invariant || len(smaller.Requests) >= len(p.Requests) && len(p.Requests) > 1 {
		t.Errorf("%v: %s", still, smaller)
	}
	again, err := ParsePlan(smaller.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, repeated := Run(again, discard(), nil); repeated == nil || *repeated != *still {
		t.Errorf("the printed plan gives %v, and the plan %v", repeated, still)
	}
}
