package journal

import "github.com/dormouse-run/dormouse/internal/ident"

// Entry is one stored journal entry.
type Entry struct {
	Type Type
	// Body is the protobuf message of the type. It is immutable: whoever
	// holds an Entry may read it concurrently and must not write it.
	Body []byte
	// At is when the entry was appended, in milliseconds since the epoch.
	At int64
	// Sidecar is set on commands, zero on notifications.
	Sidecar Sidecar
}

// Sidecar is kept beside the body of a command: what the host had allocated
// before it, and what the engine resolved for it. Remote hosts leave the counts
// at zero.
type Sidecar struct {
	Allocated Allocated
	// Callee and CalleeKind are what a Call or OneWayCall was resolved to;
	// zero for other commands and for unknown targets.
	Callee     ident.InvocationID
	CalleeKind ident.Kind
}

// Allocated counts what a host had handed out without a journal entry at some
// point of a handler. Creating an awakeable or drawing a random number writes
// nothing, so without these counts a new build that creates one awakeable more
// would deliver waiting answers to other questions. The host compares them on
// replay; a difference is a mismatch.
type Allocated struct {
	// Signals is the number of signal indexes handed out.
	Signals uint32
	// SignalHash is a rolling hash over kind and Go type name of each.
	SignalHash uint64
	// Draws is the number of 64-bit draws from the invocation's random source.
	Draws uint64
}
