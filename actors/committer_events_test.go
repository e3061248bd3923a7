package actors

import (
	"testing"

	"github.com/dormouse-run/dormouse/persistence"
)

func TestAnOutputWithoutTheEventsThatAreWantedGoesBack(t *testing.T) {
	t.Parallel()
	var told []string
	c := newCommitter(newDiskStore(), new(Goroutines), func(o *op) {
		if o.seen != nil && o.seen.marker != 0 {
			told = append(told, "marker")
		} else {
			told = append(told, "output")
		}
	}, func(err error) { t.Error(err) }, nil)
	output := func(version uint32) *op {
		return &op{entry: &entry{}, batch: &persistence.Batch{Rows: 1}, seen: &observation{version: version}}
	}
	if !c.enqueue(&op{entry: &entry{}, batch: &persistence.Batch{Rows: 1}, seen: &observation{}}) {
		t.Error("an output is not taken although nobody wants events")
	}
	c.observe(3, &op{seen: &observation{marker: 3}})
	for _, row := range []struct {
		what string
		o    *op
		want bool
	}{
		{"without events", &op{entry: &entry{}, batch: &persistence.Batch{Rows: 1}}, false},
		{"of no key", &op{batch: &persistence.Batch{Rows: 1}}, true},
		{"of an earlier version", output(2), false},
		{"of this version", output(3), true},
		{"without writes", &op{seen: &observation{}}, true},
	} {
		if got := c.enqueue(row.o); got != row.want {
			t.Errorf("an output %s is taken: %t", row.what, got)
		}
	}
	c.observe(0, nil)
	if !c.enqueue(output(0)) {
		t.Error("an output is not taken although nobody wants events any more")
	}
	c.start()
	c.stop()
	if got := len(told); got != 6 || told[1] != "marker" {
		t.Errorf("released were %v", told)
	}
}
