package sim

import (
	"slices"
	"strings"

	restate "github.com/dormouse-run/dormouse/objects"
)

// returns notes the result of the handler.
func (t *telling) returns(result string) {
	c, name := t.c, t.subject.name
	if !t.process.dead && !slices.Contains(c.results[name], result) {
		c.results[name] = append(c.results[name], result)
	}
}

// isResult judges what a handler was told as the result of a program: the program has
// returned that, or fails.
func (t *telling) isResult(err restate.TerminalError, program string, fails bool, value string) {
	c := t.c
	switch {
	case t.process.dead:
	case err == nil && !slices.Contains(c.results[program], value):
		c.w.loop.fail(InvariantHandOver, "%s has the result %.80q of %s, which never returned it", t.subject.name, value, program)
	case err != nil && !gone(err) && !fails && !c.disturbed[program]:
		c.w.loop.fail(InvariantHandOver, "%s has the failure %.80q of %s, which does not fail", t.subject.name, err, program)
	}
}

// gone says that a failure is about something that has ended, or is no more.
func gone(err restate.TerminalError) bool {
	return slices.Contains([]restate.Code{404, 409, 410}, err.Code())
}

// isPoked judges the value of a promise: it is what somebody has resolved it with.
func (t *telling) isPoked(err restate.TerminalError, value string) {
	if err == nil && !strings.HasPrefix(value, "poked ") || err != nil && !gone(err) {
		t.c.w.loop.fail(InvariantHandOver, "%s has the value %q of a promise, %v, and nobody gave it", t.subject.name, value, err)
	}
}
