package machine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// A restart copies at most MaxRestartEntries entries with at most MaxRestartBytes
// of bodies that are not stored outside of their rows: one output writes them.
const (
	MaxRestartEntries = 2048
	MaxRestartBytes   = 512 << 10
	// restartRow is how many entries a row of the copy has at most.
	restartRow = 256
	// restartBody is the size from which a body is stored outside of its row when
	// an output is too large otherwise, and restartOverhead what an entry costs
	// beside its body.
	restartBody     = 8 << 10
	restartOverhead = 64
)

// Restart asks for a new invocation that begins with a part of the journal of one
// that has completed.
type Restart struct {
	// Invoke names the new invocation, whose id is random. Its Headers and Value
	// are not used.
	Invoke Invoke
	// Of is the old invocation.
	Of ident.InvocationID
	// Entries are the beginning of the old journal, which CheckRestart has
	// accepted.
	Entries []journal.Entry
}

func (*Restart) event() {}

// RestartError says why a journal cannot be the beginning of another one.
type RestartError struct {
	// Index is the entry that is in the way.
	Index int
	// Reason says what is wrong with it.
	Reason string
}

// Error implements error.
func (e *RestartError) Error() string { return fmt.Sprintf("entry %d %s", e.Index, e.Reason) }

// CheckRestart reports whether entries, the beginning of the journal of a
// completed invocation, can be the beginning of another one. What an entry has
// done must not have to be done again, and what it has told the handler must be
// as true for the new invocation. It returns nil or a *RestartError.
func CheckRestart(entries []journal.Entry, kind ident.Kind) error {
	answered, signals := answers(entries)
	issued, size := uint32(0), 0
	for i := range entries {
		e := &entries[i]
		if n := len(e.Body); n < restartBody {
			size += n
		}
		size += restartOverhead
		if i >= MaxRestartEntries || size > MaxRestartBytes {
			return &RestartError{i, fmt.Sprintf("is too far: at most %d entries, of together at most %d KiB, are copied", MaxRestartEntries, MaxRestartBytes>>10)}
		}
		issued = max(issued, e.Sidecar.Allocated.Signals)
		reason := ""
		if e.Type.IsCommand() {
			reason = checkCopied(e, i, kind, answered)
		} else if n, err := journal.DecodeNotification(e.Type, e.Body); err != nil {
			reason = "cannot be read: " + err.Error()
		} else if n.ID.Signal == ident.CancelSignal {
			reason = "is the signal that cancelled the invocation, and it would cancel the new one"
		}
		if reason != "" {
			return &RestartError{i, reason}
		}
	}
	if reason := checkAwakeables(signals, issued); reason != "" {
		return &RestartError{len(entries) - 1, reason}
	}
	return nil
}

// answers returns the completions and the signals that entries have.
func answers(entries []journal.Entry) (completions, signals map[uint32]bool) {
	completions, signals = map[uint32]bool{}, map[uint32]bool{}
	for i := range entries {
		if entries[i].Type.IsCommand() {
			continue
		}
		if n, err := journal.DecodeNotification(entries[i].Type, entries[i].Body); err == nil {
			completions[n.ID.Completion] = true
			signals[n.ID.Signal] = true
		}
	}
	return completions, signals
}

// checkAwakeables returns what is wrong with copying so many awakeables and these
// answers. The id of an awakeable is that of the old invocation, which whoever has
// it will answer, so every one needs its answer.
func checkAwakeables(answered map[uint32]bool, issued uint32) string {
	for _, index := range slices.Sorted(maps.Keys(answered)) {
		if index >= ident.FirstAwakeable+issued {
			return fmt.Sprintf("comes before awakeable %d is created, and its answer would be copied", index)
		}
	}
	for n := range issued {
		if index := ident.FirstAwakeable + n; !answered[index] {
			return fmt.Sprintf("comes before the answer of awakeable %d: whoever has been given its id will answer the old invocation", index)
		}
	}
	return ""
}

// checkCopied returns what is wrong with copying a command, "" for nothing.
func checkCopied(e *journal.Entry, index int, kind ident.Kind, answered map[uint32]bool) string {
	command, err := journal.DecodeCommand(e.Type, e.Body)
	if err != nil {
		return "cannot be read: " + err.Error()
	}
	var owed []uint32
	switch c := command.(type) {
	case *journal.Input:
		if index != 0 {
			return "is a second Input"
		}
	case *journal.Output:
		return "is the result: nothing would be left to do"
	case *journal.SetState, *journal.ClearState, *journal.ClearAllState:
		return "changes the state: others may have changed it since, and it is not changed again"
	case *journal.GetEagerState, *journal.GetEagerStateKeys:
		if kind == ident.KindExclusive {
			return staleRead
		}
	case *journal.GetLazyState:
		if kind == ident.KindExclusive {
			return staleRead
		}
		owed = []uint32{c.Completion}
	case *journal.GetLazyStateKeys:
		if kind == ident.KindExclusive {
			return staleRead
		}
		owed = []uint32{c.Completion}
	default:
		owed = owedTo(command)
	}
	for _, completion := range owed {
		if !answered[completion] {
			return fmt.Sprintf("is a %s whose answer is not copied: choose an entry before it, or one behind its answer", e.Type)
		}
	}
	return ""
}

const staleRead = "reads the state, which others may have changed since"

// owedTo returns the completions of a command that concerns neither the state nor
// the ends of the journal.
func owedTo(command journal.Command) []uint32 {
	switch c := command.(type) {
	case *journal.Run:
		return []uint32{c.Completion}
	case *journal.Sleep:
		return []uint32{c.Completion}
	case *journal.Call:
		return []uint32{c.InvocationIDCompletion, c.Completion}
	case *journal.OneWayCall:
		return []uint32{c.InvocationIDCompletion}
	case *journal.AttachInvocation:
		return []uint32{c.Completion}
	case *journal.GetOutput:
		return []uint32{c.Completion}
	case *journal.GetPromise:
		return []uint32{c.Completion}
	case *journal.PeekPromise:
		return []uint32{c.Completion}
	case *journal.CompletePromise:
		return []uint32{c.Completion}
	default:
		return nil
	}
}

// restart accepts an invocation with a journal.
func (t *transition) restart(ev *Restart) []Need {
	inv := t.create(&ev.Invoke)
	inv.row.RestartedFrom = ev.Of
	t.copyJournal(inv, ev.Entries)
	t.place(&ev.Invoke, inv)
	return nil
}

// copyJournal gives a new invocation its first entries. They keep their times.
func (t *transition) copyJournal(inv *invocation, entries []journal.Entry) {
	for i := range entries {
		e := &entries[i]
		if len(inv.row.Tail) == restartRow {
			t.spill(inv)
		}
		inv.add(*e)
		if e.Type.IsCommand() {
			inv.row.IssuedAwakeables = inv.row.IssuedAwakeables || e.Sidecar.Allocated.Signals > 0
		} else if e.Type == journal.TypeSignal {
			t.copySignal(inv, e, uint32(i))
		}
	}
	t.change(inv)
}

// copySignal says that an awakeable of a new invocation is answered.
func (t *transition) copySignal(inv *invocation, e *journal.Entry, index uint32) {
	n, err := journal.DecodeNotification(e.Type, e.Body)
	if err != nil {
		panic(fmt.Sprintf("machine: a copied signal of %s does not decode: %v", inv.row.ID, err))
	}
	if n.ID.Signal < ident.FirstAwakeable || inv.signals[n.ID.Signal] {
		return
	}
	t.putFresh(&SignalRow{Partition: inv.partition(), Birth: inv.row.Birth, Index: n.ID.Signal, Entry: index})
	inv.setSignal(n.ID.Signal)
}
