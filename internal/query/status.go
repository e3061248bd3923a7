package query

import (
	"strings"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// Statuses is a set of status words. The zero value is the empty set, which as a
// filter stands for all of them.
//
// Running and ready are one status of the machine and two here: whether an
// invocation that is ready has been given to a handler is known to the process.
type Statuses uint16

// Running is the set of those whose handler executes or waits in memory.
const Running Statuses = 1

// StatusOf returns the set of one status. StatusReady is what is ready and not
// running.
func StatusOf(s machine.Status) Statuses { return 1 << s }

// words are the words of the statuses, in the order of a life.
func words() []string {
	return []string{"scheduled", "pending", "ready", "running", "backing-off", "suspended", "paused", "completed"}
}

// StatusWords returns the words that ParseStatus knows, for errors.
func StatusWords() string { return strings.Join(words(), ", ") }

// ParseStatus returns the set of one word.
func ParseStatus(word string) (s Statuses, ok bool) {
	if word == "running" {
		return Running, true
	}
	for status := machine.StatusScheduled; status <= machine.StatusCompleted; status++ {
		if status.String() == word {
			return StatusOf(status), true
		}
	}
	return 0, false
}

// Has reports whether all of other is in s.
func (s Statuses) Has(other Statuses) bool { return s&other == other }

// meets reports whether s and other have something in common.
func (s Statuses) meets(other Statuses) bool { return s&other != 0 }

// String returns the words, separated by commas.
func (s Statuses) String() string {
	var in []string
	for _, word := range words() {
		if one, _ := ParseStatus(word); s.Has(one) {
			in = append(in, word)
		}
	}
	return strings.Join(in, ",")
}

// classes returns the classes of the status index that hold s.
func (s Statuses) classes() (classes []machine.StatusClass) {
	for status, of := range map[machine.Status][]machine.StatusClass{
		machine.StatusScheduled:  {machine.ClassScheduled},
		machine.StatusSuspended:  {machine.ClassSuspended, machine.ClassSuspendedIssued},
		machine.StatusBackingOff: {machine.ClassBackingOff},
		machine.StatusPaused:     {machine.ClassPaused},
	} {
		if s.Has(StatusOf(status)) {
			classes = append(classes, of...)
		}
	}
	return classes
}
