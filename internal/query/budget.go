package query

import "time"

// Bounds of what one page may look at.
const (
	// MaxSteps is how many rows it examines at most, removed ones included.
	MaxSteps = 5000
	// MaxTime is how long it examines rows.
	MaxTime = 10 * time.Millisecond
	// gatherSteps is how many rows may be gathered and sorted before a page
	// takes another way. More than half of the budget is left for that.
	gatherSteps = 2000
	// minWalk is how many steps a page makes although its time is over, so that
	// every page gets on, also where all reads are slow.
	minWalk = 16
)

// Budget is what a page may still spend. It belongs to one goroutine.
type Budget struct {
	now      func() time.Time
	deadline time.Time
	max      int
	steps    int
}

// NewBudget returns a full budget. Its time begins now; nil is time.Now.
func NewBudget(now func() time.Time) *Budget { return newBudget(now, MaxSteps, MaxTime) }

// newBudget returns a budget with other bounds. A limit of 0 is no bound of the
// time.
func newBudget(now func() time.Time, steps int, limit time.Duration) *Budget {
	if now == nil {
		now = time.Now
	}
	b := &Budget{now: now, max: steps}
	if limit > 0 {
		b.deadline = now().Add(limit)
	}
	return b
}

// Spend counts rows that were examined.
func (b *Budget) Spend(steps int) { b.steps += steps }

// Examined returns how many rows were examined.
func (b *Budget) Examined() int { return b.steps }

// Left returns how many rows may still be examined, whatever the time.
func (b *Budget) Left() int { return max(0, b.max-b.steps) }

// Late reports whether the time is over.
func (b *Budget) Late() bool { return !b.deadline.IsZero() && b.now().After(b.deadline) }

// Over reports whether nothing more may be examined.
func (b *Budget) Over() bool { return b.Left() == 0 || b.Late() }
