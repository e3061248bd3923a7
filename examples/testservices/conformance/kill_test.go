package conformance_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestKillInvocation_kill(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		const key = "tree"
		sent := send[none](w, "KillTestRunner", key, "startCallTree", none{})
		w.unlock(key)
		if err := ingress.Kill(w.ctx, w.c, sent.Id()); err != nil {
			t.Fatal(err)
		}
		_, err := sent.Attach(w.ctx)
		if answer, ok := err.(ingress.Error); !ok || answer.Code() != 409 || answer.Message() != "killed" {
			t.Errorf("a killed invocation ends with %v", err)
		}
		call[none](w, "KillTestSingleton", key, "isUnlocked", none{})
	})
}

func TestKillRuntime_startAndKillRuntimeRetainsTheState(t *testing.T) {
	retainsTheState(t, syscall.SIGKILL)
}

func TestStopRuntime_startAndStopRuntimeRetainsTheState(t *testing.T) {
	retainsTheState(t, syscall.SIGTERM)
}

func retainsTheState(t *testing.T, s syscall.Signal) {
	inChildren(t, func(t *testing.T, c *child) {
		equal(t, "the old value", c.add("c", 1).OldValue, 0)
		c = c.again(s)
		equal(t, "the value", c.counted("c"), 1)
		equal(t, "the old value", c.add("c", 2).OldValue, 1)
		c = c.again(s)
		equal(t, "the value", c.counted("c"), 3)
	}, byDefault, suspend, lazy)
}

func TestSleepWithFailures_sleepAndKillServiceEndpoint(t *testing.T) {
	sleepsThrough(t, syscall.SIGKILL)
}

func TestSleepWithFailures_sleepAndTerminateServiceEndpoint(t *testing.T) {
	sleepsThrough(t, syscall.SIGTERM)
}

// sleepsThrough ends the process during a sleep of four seconds.
func sleepsThrough(t *testing.T, s syscall.Signal) {
	inChildren(t, func(t *testing.T, c *child) {
		began := time.Now()
		sent, err := ingress.Service[[]int64, none](c.c, "TestUtilsService", "sleepConcurrently").Send(c.ctx, []int64{4000})
		if err != nil {
			t.Fatal(err)
		}
		c.eventually("the timer is durable", func() bool {
			for _, e := range c.view(sent.Id()).Journal.Entries {
				if e.Type == "Sleep" {
					return true
				}
			}
			return false
		})
		c = c.again(s)
		attach(c.world, ingress.InvocationById[none](c.c, sent.Id()))
		if took := time.Since(began); took < 4*time.Second {
			t.Errorf("it took %v", took)
		}
	}, byDefault, suspend, evict)
}
