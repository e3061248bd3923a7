package actors

import "testing"

func TestEveryPointHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, p := range Points() {
		if s := p.String(); s == "unknown" || seen[s] {
			t.Errorf("point %d is called %q", p, s)
		}
		seen[p.String()] = true
	}
	if len(seen) != 18 || Point(0).String() != "unknown" || pointEnd.String() != "unknown" {
		t.Errorf("%d points", len(seen))
	}
	tracer(nil).pass(PointApplied)
}
