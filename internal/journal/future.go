package journal

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

// Future is what an attempt waits for: a tree whose leaves name notifications
// and whose nodes combine their children. The zero value waits for nothing and
// is never decided.
type Future struct {
	Completions []uint32
	Signals     []uint32
	Named       []string
	Nested      []*Future
	Combinator  Combinator
}
