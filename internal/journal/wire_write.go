package journal

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The appenders of this file write one field each. Those called present write
// the field also when it holds the default; the others leave a default out.

func appendUint(b []byte, num protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return appendPresentUint(b, num, n)
}

func appendPresentUint(b []byte, num protowire.Number, n uint64) []byte {
	b = protowire.AppendTag(b, num, protowire.VarintType)
	return protowire.AppendVarint(b, n)
}

func appendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return appendPresentText(b, num, s)
}

func appendPresentText(b []byte, num protowire.Number, s string) []byte {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendString(b, s)
}

func appendOptionalText(b []byte, num protowire.Number, s *string) []byte {
	if s == nil {
		return b
	}
	return appendPresentText(b, num, *s)
}

func appendPayload(b []byte, num protowire.Number, p []byte) []byte {
	if len(p) == 0 {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendBytes(b, p)
}

// appendOpen writes tag and length of a nested message of size bytes, which
// the caller appends next.
func appendOpen(b []byte, num protowire.Number, size int) []byte {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendVarint(b, uint64(size))
}

func appendVoid(b []byte, num protowire.Number) []byte { return appendOpen(b, num, 0) }

// appendValue writes a Value, also when it is empty.
func appendValue(b []byte, num protowire.Number, content []byte) []byte {
	b = appendOpen(b, num, sizeText(len(content)))
	return appendPayload(b, 1, content)
}

func appendHeaders(b []byte, num protowire.Number, headers []Header) []byte {
	for i := range headers {
		h := &headers[i]
		b = appendOpen(b, num, sizeHeader(h))
		b = appendText(b, 1, h.Key)
		b = appendText(b, 2, h.Value)
	}
	return b
}

// appendFailure writes a Failure; nil counts as an empty one.
func appendFailure(b []byte, num protowire.Number, f *Failure) []byte {
	if f == nil {
		return appendOpen(b, num, 0)
	}
	b = appendOpen(b, num, sizeFailure(f))
	b = appendUint(b, 1, uint64(f.Code))
	b = appendText(b, 2, f.Message)
	return appendHeaders(b, 3, f.Metadata)
}

func appendStateKeys(b []byte, num protowire.Number, keys []string) []byte {
	size := 0
	for _, k := range keys {
		size += 1 + protowire.SizeBytes(len(k))
	}
	b = appendOpen(b, num, size)
	for _, k := range keys {
		b = appendPresentText(b, 1, k)
	}
	return b
}

// sizeText is the size of a text or bytes field with a one-byte tag that is
// left out when it is empty.
func sizeText(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + protowire.SizeBytes(n)
}

func sizeHeader(h *Header) int { return sizeText(len(h.Key)) + sizeText(len(h.Value)) }

func sizeFailure(f *Failure) int {
	size := sizeText(len(f.Message))
	if f.Code != 0 {
		size += 1 + protowire.SizeVarint(uint64(f.Code))
	}
	for i := range f.Metadata {
		size += 1 + protowire.SizeBytes(sizeHeader(&f.Metadata[i]))
	}
	return size
}

// union holds the field numbers of a result union, 0 for a member that the
// message does not have.
type union struct {
	void, value, failure, invocationID, stateKeys protowire.Number
}

// append writes the member that r is. A message without that member would be
// bytes that no reader accepts, so it is a broken invariant of the caller.
func (u union) append(b []byte, owner Type, r *Result) []byte {
	switch {
	case r.Kind == ResultVoid && u.void != 0:
		return appendVoid(b, u.void)
	case r.Kind == ResultValue && u.value != 0:
		return appendValue(b, u.value, r.Value)
	case r.Kind == ResultFailure && u.failure != 0:
		return appendFailure(b, u.failure, r.Failure)
	case r.Kind == ResultInvocationID && u.invocationID != 0:
		return appendPresentText(b, u.invocationID, r.InvocationID)
	case r.Kind == ResultStateKeys && u.stateKeys != 0:
		return appendStateKeys(b, u.stateKeys, r.StateKeys)
	default:
		panic(fmt.Sprintf("journal: %v cannot hold a result of kind %v", owner, r.Kind))
	}
}
