package actors

import "testing"

// TestARestartIsCountedAsAccepted holds what was accepted against what has ended.
func TestARestartIsCountedAsAccepted(t *testing.T) {
	t.Parallel()
	w := &world{}
	services := w.services()
	inBubble(t, Options{Services: services}, func(t *testing.T, b *bench) {
		r := ask("Echo", "", "echo", "x")
		r.IdempotencyKey = "k"
		old := call(b, r)
		wantValue(t, attach(b, restart(b, old.ID, 0)), `"x"`)
		if m := metricsOf(t, b.rt, "Echo"); m.Accepted != 2 || m.Succeeded != 2 {
			t.Errorf("accepted are %d, succeeded %d, and both should be 2", m.Accepted, m.Succeeded)
		}
	})
}
