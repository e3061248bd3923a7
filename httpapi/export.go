package httpapi

import (
	"fmt"
	"strconv"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// maxExportBytes is the size of entries, in bytes, at which a page of an export
// ends; the first entry of a page is always in it.
const maxExportBytes = 32 << 20

// exportedInvocation is what an export shows of an invocation beside the rest:
// what a handler was given and cannot be read from its journal.
type exportedInvocation struct {
	// RandomSeed is a decimal number of 64 bits, as text because numbers of
	// JSON are not that long everywhere.
	RandomSeed string `json:"random_seed,omitempty"`
	// Alias is what stands for the invocation in its awakeable ids, absent for
	// its id.
	Alias string `json:"alias,omitempty"`
	// Allocated is what had been handed out at the last suspension, absent when
	// a command was appended after it.
	Allocated *allocatedView `json:"allocated,omitempty"`
}

// exportedEntry is what an export shows of an entry beside the rest. The values
// of an entry are for reading: they may be cut, and tools that format JSON
// change them. The body is exact.
type exportedEntry struct {
	// Body is the stored message.
	Body []byte `json:"body,omitempty"`
	// Allocated is what had been handed out before a command.
	Allocated *allocatedView `json:"allocated,omitempty"`
}

// allocatedView counts what a handler was given without an entry.
type allocatedView struct {
	Signals uint32 `json:"signals"`
	// SignalTypes is a hash over what the signals are for, 16 hexadecimal
	// digits.
	SignalTypes string `json:"signal_types"`
	Draws       uint64 `json:"draws"`
}

func newAllocatedView(a journal.Allocated) *allocatedView {
	if a == (journal.Allocated{}) {
		return nil
	}
	return &allocatedView{Signals: a.Signals, SignalTypes: fmt.Sprintf("%016x", a.SignalHash), Draws: a.Draws}
}

// addExport adds what a replay needs to a view with its journal, whose first
// entry has the index from. A page that would be too large ends earlier.
func (v *invocationView) addExport(row *machine.InvocationRow, entries []journal.Entry, from uint32) {
	v.RandomSeed = strconv.FormatUint(row.RandomSeed, 10)
	if !row.Alias.IsZero() {
		v.Alias = row.Alias.String()
	}
	v.Allocated = newAllocatedView(row.Allocated)
	size := 0
	for i := range entries {
		e := &entries[i]
		if size += len(e.Body); size > maxExportBytes && i > 0 {
			next := from + uint32(i)
			v.Journal.Entries, v.Journal.NextFrom = v.Journal.Entries[:i], &next
			return
		}
		view := v.Journal.Entries[i]
		view.Body, view.Allocated = e.Body, newAllocatedView(e.Sidecar.Allocated)
	}
}
