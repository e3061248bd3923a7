package journal

import (
	"iter"
	"slices"
	"strings"
)

// Combinator says when a node of an await tree is decided. The values are
// those of the protocol.
type Combinator uint8

// Combinators.
const (
	// Unknown is decided when any child is; it counts as undetermined.
	Unknown Combinator = iota
	// FirstCompleted is decided when any child is and has its outcome.
	FirstCompleted
	// AllCompleted is decided when all children are; it is a success.
	AllCompleted
	// FirstSucceededOrAllFailed is decided when one child succeeded or all
	// failed.
	FirstSucceededOrAllFailed
	// AllSucceededOrFirstFailed is decided when one child failed or all
	// succeeded.
	AllSucceededOrFirstFailed
)

// String returns the word that Future.String uses.
func (c Combinator) String() string {
	switch c {
	case Unknown:
		return "any"
	case FirstCompleted:
		return "first"
	case AllCompleted:
		return "all"
	case FirstSucceededOrAllFailed:
		return "first_succeeded"
	case AllSucceededOrFirstFailed:
		return "all_succeeded"
	default:
		return "unknown"
	}
}

// Future is what an attempt waits for: a tree whose leaves name notifications
// and whose nodes combine their children. The zero value waits for nothing and
// is never decided.
//
// A tree is immutable once it was handed on. A method never changes it, and
// trees may share parts.
type Future struct {
	Completions []uint32
	Signals     []uint32
	Named       []string
	Nested      []*Future
	Combinator  Combinator
}

// Leaves yields every notification that the tree names, a node's own leaves
// before those of its nested trees. A leaf that stands twice is yielded twice.
func (f *Future) Leaves() iter.Seq[NotificationID] {
	return func(yield func(NotificationID) bool) { f.leaves(yield) }
}

func (f *Future) leaves(yield func(NotificationID) bool) bool {
	for _, n := range f.Completions {
		if !yield(CompletionID(n)) {
			return false
		}
	}
	for _, n := range f.Signals {
		if !yield(SignalID(n)) {
			return false
		}
	}
	for _, name := range f.Named {
		if !yield(NamedSignalID(name)) {
			return false
		}
	}
	for _, n := range f.Nested {
		if !n.leaves(yield) {
			return false
		}
	}
	return true
}

// Contains reports whether the tree has a leaf id.
func (f *Future) Contains(id NotificationID) bool {
	return f.names(id) || slices.ContainsFunc(f.Nested, func(n *Future) bool { return n.Contains(id) })
}

// names reports whether id is a leaf of this very node.
func (f *Future) names(id NotificationID) bool {
	switch {
	case id.Completion != 0:
		return slices.Contains(f.Completions, id.Completion)
	case id.Signal != 0:
		return slices.Contains(f.Signals, id.Signal)
	default:
		return id.Name != "" && slices.Contains(f.Named, id.Name)
	}
}

// String shows the tree in one line, like
// `all_succeeded(completion 3, first(signal 17))`.
func (f *Future) String() string {
	var s strings.Builder
	f.write(&s)
	return s.String()
}

func (f *Future) write(s *strings.Builder) {
	s.WriteString(f.Combinator.String())
	s.WriteByte('(')
	own := Future{Completions: f.Completions, Signals: f.Signals, Named: f.Named}
	comma := ""
	for id := range own.Leaves() {
		s.WriteString(comma + id.String())
		comma = ", "
	}
	for _, n := range f.Nested {
		s.WriteString(comma)
		n.write(s)
		comma = ", "
	}
	s.WriteByte(')')
}
