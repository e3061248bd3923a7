package sim

import (
	"fmt"
	"slices"
	"strings"
)

// undo is the name of the closure that undoes what a program has done.
const undo = "undo"

// ensureAlone judges the begin of an attempt: nothing of an older attempt of its
// invocation runs, unless that was given up.
func (t *telling) ensureAlone() {
	s := t.subject
	if t.c.w.plan.Abort == 0 && (s.busy != nil && !s.busy.over || s.closures > 0) {
		t.c.w.loop.fail(InvariantOrder, "an attempt of %s starts while an older one runs, or one of its %d closures", s.name, s.closures)
	}
	s.busy = t
}

// closure notes that a closure starts, and judges whether it may: everything that
// the attempt was told is durable by then, and no result of the closure is.
func (t *telling) closure(at string) int {
	s, w := t.subject, t.c.w
	if t.process.dead {
		return 0
	}
	w.ensureHeld(t)
	w.ensureTold(t)
	if value, done := s.given[at]; done {
		w.loop.fail(InvariantRun, "closure %s of %s starts again after %q was given", at, s.name, value)
	}
	for _, value := range s.ran[at] {
		if w.inJournal(s.id, value) {
			w.loop.fail(InvariantRun, "closure %s of %s starts again after %q was durable", at, s.name, value)
		}
	}
	if at == undo && s.closures > 0 && w.plan.Abort == 0 {
		w.loop.fail(InvariantRun, "the undoing of %s starts while %d closures of it run", s.name, s.closures)
	}
	s.closures++
	if s.exclusive {
		// What it has read cannot change while it has the key.
		t.fix()
		t.c.key(s.key).closures++
	}
	s.runs[at]++
	w.loop.note("closure %s of %s starts, the %d. time", at, s.name, s.runs[at])
	return s.runs[at]
}

// closed notes that a closure has ended.
func (t *telling) closed() {
	if t.process.dead {
		return
	}
	t.subject.closures--
	if t.subject.exclusive {
		t.c.key(t.subject.key).closures--
	}
}

// ran returns the result of a closure, which no other one has.
func (t *telling) ran(at string, n int) string {
	value := fmt.Sprintf("r[%s.%s.%d]", t.subject.id, at, n)
	t.subject.ran[at] = append(t.subject.ran[at], value)
	return value
}

// given judges the result that a Run gives to the handler.
func (t *telling) given(at, value string) {
	s, w := t.subject, t.c.w
	if !strings.Contains(value, s.id) {
		return // it was restarted with the results of another one
	}
	if before, again := s.given[at]; again && before != value {
		w.loop.fail(InvariantRun, "closure %s of %s gave %q, and now %q", at, s.name, before, value)
	}
	if !slices.Contains(s.ran[at], value) {
		w.loop.fail(InvariantRun, "closure %s of %s gives %q, which it never returned", at, s.name, value)
	}
	if !w.inJournal(s.id, value) && !w.leftNothing(s) {
		w.loop.fail(InvariantRun, "closure %s of %s gives %q, which is not durable", at, s.name, value)
	}
	s.given[at] = value
	t.fix()
}
