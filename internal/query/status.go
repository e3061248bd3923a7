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

// EachStatus returns the sets of one status, in the order of a life.
func EachStatus() []Statuses {
	return []Statuses{
		StatusOf(machine.StatusScheduled), StatusOf(machine.StatusPending), StatusOf(machine.StatusReady), Running,
		StatusOf(machine.StatusBackingOff), StatusOf(machine.StatusSuspended), StatusOf(machine.StatusPaused), StatusOf(machine.StatusCompleted),
	}
}

// Has reports whether all of other is in s.
func (s Statuses) Has(other Statuses) bool { return s&other == other }

// meets reports whether s and other have something in common.
func (s Statuses) meets(other Statuses) bool { return s&other != 0 }

// String returns the words, separated by commas.
func (s Statuses) String() string {
	var in []string
	if s.Has(Running) {
		in = append(in, "running")
	}
	for status := machine.StatusScheduled; status <= machine.StatusCompleted; status++ {
		if s.Has(StatusOf(status)) {
			in = append(in, status.String())
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
