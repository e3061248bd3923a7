package journal

import "slices"

// verdict is what is known about a node of an await tree.
type verdict uint8

const (
	// open: not decided yet.
	open verdict = iota
	// succeeded and failed: decided, with that outcome.
	succeeded
	failed
	// undetermined: decided, but only the host can say with which outcome.
	undetermined
)

// Reduce tells the tree that the notification id has arrived; isFailure says
// that its result is a failure. satisfied means that the tree is decided, or
// that a part is whose outcome only the host can tell; reduced is nil then.
// Otherwise reduced is the tree without what is decided. It is enough to judge
// the next notification by, because a decided child that left its node open
// cannot matter to that node again. It is f itself when nothing changed.
//
// A node without children is decided if its combinator asks for all of them.
func (f *Future) Reduce(id NotificationID, isFailure bool) (reduced *Future, satisfied bool) {
	r := reduction{id: id, outcome: succeeded}
	if isFailure {
		r.outcome = failed
	}
	reduced, v := r.node(f)
	if v != open || r.wake {
		return nil, true
	}
	return reduced, false
}

// reduction is one run of Reduce.
type reduction struct {
	id      NotificationID
	outcome verdict
	// wake is set when a node met an outcome that it cannot count.
	wake bool
}

// node judges f. While f stays open, rest is what is left of it.
func (r *reduction) node(f *Future) (rest *Future, v verdict) {
	rest = f
	var t tally
	if f.names(r.id) {
		rest = f.without(r.id)
		t.count(r.outcome)
	}
	if nested, changed := r.children(f.Nested, &t); changed {
		if rest == f {
			own := *f
			rest = &own
		}
		rest.Nested = nested
	}
	if t.undetermined && (f.Combinator == FirstSucceededOrAllFailed || f.Combinator == AllSucceededOrFirstFailed) {
		r.wake = true
	}
	return rest, t.judge(f.Combinator, rest.childless())
}

// children judges nested trees, counts the decided ones and returns the others.
func (r *reduction) children(nested []*Future, t *tally) (rest []*Future, changed bool) {
	rest = nested
	for i, n := range nested {
		left, v := r.node(n)
		if !changed && (left != n || v != open) {
			changed = true
			rest = slices.Clone(nested[:i])
		}
		switch {
		case v != open:
			t.count(v)
		case changed:
			rest = append(rest, left)
		}
	}
	return rest, changed
}

// without is a copy of f without the leaf id, however often it stands there.
func (f *Future) without(id NotificationID) *Future {
	c := *f
	switch {
	case id.Completion != 0:
		c.Completions = remove(f.Completions, id.Completion)
	case id.Signal != 0:
		c.Signals = remove(f.Signals, id.Signal)
	default:
		c.Named = remove(f.Named, id.Name)
	}
	return &c
}

func remove[T comparable](list []T, gone T) []T {
	var rest []T
	for _, v := range list {
		if v != gone {
			rest = append(rest, v)
		}
	}
	return rest
}

func (f *Future) childless() bool {
	return len(f.Completions)+len(f.Signals)+len(f.Named)+len(f.Nested) == 0
}

// tally says which outcomes the decided children of a node have. first is that
// of the first one, in the order in which a node lists its children.
type tally struct {
	first                           verdict
	succeeded, failed, undetermined bool
}

func (t *tally) count(v verdict) {
	if t.first == open {
		t.first = v
	}
	switch v {
	case succeeded:
		t.succeeded = true
	case failed:
		t.failed = true
	case undetermined:
		t.undetermined = true
	}
}

// judge is the verdict on a node; none says that no child is left undecided.
func (t *tally) judge(c Combinator, none bool) verdict {
	switch c {
	case FirstCompleted:
		return t.first
	case AllCompleted:
		if none {
			return succeeded
		}
	case FirstSucceededOrAllFailed:
		if t.succeeded {
			return succeeded
		}
		if none {
			return failed
		}
	case AllSucceededOrFirstFailed:
		if t.failed {
			return failed
		}
		if none {
			return succeeded
		}
	default:
		if t.first != open {
			return undetermined
		}
	}
	return open
}
