package actors_test

import (
	"testing"
	"time"
)

// TestTheKillLoopLetsTheHourPassThatARemovalNeeds has a client whose request is
// answered an hour after the last kill, as a wait for a promise of a workflow is
// whose retention ends then, and one whose request is never answered.
func TestTheKillLoopLetsTheHourPassThatARemovalNeeds(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]bool{"answered": true, "lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newKillClients(t, nil, "", "")
			hour := make(chan struct{})
			c.wg.Go(func() {
				c.underWay.Store("a wait", c.hour.Load())
				select {
				case <-hour:
				case <-c.ctx.Done():
				}
			})
			hours := 0
			if got := c.finish(time.Millisecond, time.Millisecond, func() {
				if hours++; answered && hours == 1 {
					close(hour)
				}
			}); got != answered {
				t.Errorf("after %d hours it has ended: %t", hours, got)
			}
			if lost := len(c.wrong); lost != map[bool]int{true: 0, false: 1}[answered] {
				t.Errorf("%d requests are lost: %v", lost, c.wrong)
			}
		})
	}
}
