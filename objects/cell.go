package objects

import "github.com/dormouse-run/dormouse/objects/encoding"

// Cell is a state value with its name, type and codec, declared once:
//
//	var balance = restate.StateCell[int]("balance")
//
// A Cell is a value and may be used concurrently. The zero value is the state
// value with the empty name, as JSON.
type Cell[T any] struct {
	name  string
	codec encoding.Codec
}

// StateCell returns the cell of the state value with this name. Its codec is
// JSON unless WithCodec gives another one; it is used for reading and writing.
func StateCell[T any](name string, o ...GetOption) Cell[T] {
	return Cell[T]{name: name, codec: getOptionsOf(o).codec}
}

// Get returns the value and whether there is one; the zero value otherwise. What
// Get, the function, says of replays, errors and values that do not decode holds
// here.
func (c Cell[T]) Get(ctx ObjectSharedContext) (T, bool, TerminalError) {
	return stateValueOf[T](ctx, c.name, firstCodec(c.codec))
}

// Set writes the value, like Set, the function.
func (c Cell[T]) Set(ctx ObjectContext, value T) { Set(ctx, c.name, value, WithCodec(c.codec)) }

// Clear removes the value, like Clear, the function.
func (c Cell[T]) Clear(ctx ObjectContext) { Clear(ctx, c.name) }
