package journal

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxFutureDepth bounds the nesting that DecodeFuture follows, as protobuf
// readers do.
const maxFutureDepth = 10_000

// AppendBody appends the protobuf message of the tree to b and returns it.
func (f *Future) AppendBody(b []byte) []byte {
	if len(f.Nested) == 0 {
		return f.append(b, nil)
	}
	// A nested message is preceded by its size. Sizes are computed once, in
	// the order in which append needs them; asking each node anew would cost
	// the square of the depth.
	sizes, _ := f.sizes(nil)
	w := sizeList{rest: sizes[1:]}
	return f.append(b, &w)
}

// sizeList hands out the sizes of nested trees in the order of their writing.
type sizeList struct{ rest []int }

func (s *sizeList) next() int {
	n := s.rest[0]
	s.rest = s.rest[1:]
	return n
}

func (f *Future) append(b []byte, s *sizeList) []byte {
	b = appendPacked(b, 1, f.Completions)
	b = appendPacked(b, 2, f.Signals)
	for _, name := range f.Named {
		b = appendPresentText(b, 3, name)
	}
	for _, n := range f.Nested {
		b = n.append(appendOpen(b, 4, s.next()), s)
	}
	return appendUint(b, 5, uint64(f.Combinator))
}

// sizes appends the size of f, then those of its nested trees, and returns the
// size of f as well.
func (f *Future) sizes(list []int) ([]int, int) {
	at := len(list)
	list = append(list, 0)
	size := sizePacked(f.Completions) + sizePacked(f.Signals)
	for _, name := range f.Named {
		size += 1 + protowire.SizeBytes(len(name))
	}
	for _, n := range f.Nested {
		var inner int
		list, inner = n.sizes(list)
		size += 1 + protowire.SizeBytes(inner)
	}
	if f.Combinator != 0 {
		size += 1 + protowire.SizeVarint(uint64(f.Combinator))
	}
	list[at] = size
	return list, size
}

func appendPacked(b []byte, num protowire.Number, list []uint32) []byte {
	if len(list) == 0 {
		return b
	}
	b = appendOpen(b, num, sizeVarints(list))
	for _, n := range list {
		b = protowire.AppendVarint(b, uint64(n))
	}
	return b
}

func sizePacked(list []uint32) int {
	if len(list) == 0 {
		return 0
	}
	return 1 + protowire.SizeBytes(sizeVarints(list))
}

func sizeVarints(list []uint32) int {
	size := 0
	for _, n := range list {
		size += protowire.SizeVarint(uint64(n))
	}
	return size
}

// DecodeFuture reads a tree. Unknown fields are skipped. The error wraps
// ErrMalformed. The flat list of protocol versions up to 6 is a tree of one
// Unknown node.
func DecodeFuture(body []byte) (*Future, error) {
	d := decoder{rest: body}
	f := d.future(maxFutureDepth)
	if d.err != nil {
		return nil, fmt.Errorf("decode Future: %w", d.err)
	}
	return f, nil
}

func (d *decoder) future(depth int) *Future {
	f := &Future{}
	d.require(depth > 0, "end of the nesting")
	for d.next() {
		switch d.num {
		case 1:
			f.Completions = d.packed(f.Completions)
		case 2:
			f.Signals = d.packed(f.Signals)
		case 3:
			f.Named = append(f.Named, d.text())
		case 4:
			in := d.nested()
			f.Nested = append(f.Nested, in.future(depth-1))
			d.done(&in)
		case 5:
			f.Combinator = d.combinator()
		}
	}
	return f
}

func (d *decoder) combinator() Combinator {
	n := d.uint64()
	if n > uint64(AllSucceededOrFirstFailed) {
		d.fail("not a combinator")
		return Unknown
	}
	return Combinator(n)
}

// packed appends one number, or a packed list of them.
func (d *decoder) packed(list []uint32) []uint32 {
	if d.typ == protowire.VarintType {
		return append(list, d.uint32())
	}
	for rest := d.bytes(); len(rest) > 0; {
		n, size := protowire.ConsumeVarint(rest)
		if size < 0 || n > 1<<32-1 {
			d.fail("not a packed list of numbers")
			return list
		}
		list, rest = append(list, uint32(n)), rest[size:]
	}
	return list
}
