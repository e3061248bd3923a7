package ident

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Partition is the shard of the store to which a row belongs. The number of
// partitions is fixed in a data directory.
type Partition uint16

// Partitions is how many partitions a data directory has.
const Partitions = 64

// PartitionKey is the hash that decides the partition of a target; it is the
// first part of every invocation id.
type PartitionKey uint64

// Partition returns the partition of k: its six highest bits.
func (k PartitionKey) Partition() Partition { return Partition(k >> 58) }

// InvocationID names an invocation: the partition key of its target, eight
// bytes big-endian, and sixteen bytes that are random or derived. The zero
// value is no id.
type InvocationID [24]byte

// ErrMalformed is returned (wrapped, with the reason) for text that is not an
// id in canonical form.
var ErrMalformed = errors.New("malformed id")

const (
	invocationPrefix = "inv_1"
	digitsHigh       = 11 // base-62 digits of 8 bytes
	digitsLow        = 22 // base-62 digits of 16 bytes
	invocationLen    = len(invocationPrefix) + digitsHigh + digitsLow
)

// NewInvocationID joins a partition key and the sixteen identifying bytes.
func NewInvocationID(k PartitionKey, uuid [16]byte) InvocationID {
	var id InvocationID
	binary.BigEndian.PutUint64(id[:8], uint64(k))
	copy(id[8:], uuid[:])
	return id
}

// PartitionKey returns the first part of the id.
func (id InvocationID) PartitionKey() PartitionKey {
	return PartitionKey(binary.BigEndian.Uint64(id[:8]))
}

// Partition returns the partition that holds the rows of the invocation.
func (id InvocationID) Partition() Partition { return id.PartitionKey().Partition() }

// IsZero reports whether id is the zero value, which names no invocation.
func (id InvocationID) IsZero() bool { return id == InvocationID{} }

// String returns the text form: inv_1 and 33 base-62 digits.
func (id InvocationID) String() string {
	b := make([]byte, invocationLen)
	copy(b, invocationPrefix)
	putBase62(b[len(invocationPrefix):len(invocationPrefix)+digitsHigh], id[:8])
	putBase62(b[len(invocationPrefix)+digitsHigh:], id[8:])
	return string(b)
}

// MarshalText returns the text form.
func (id InvocationID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text form.
func (id *InvocationID) UnmarshalText(b []byte) error {
	parsed, err := ParseInvocationID(string(b))
	if err == nil {
		*id = parsed
	}
	return err
}

// ParseInvocationID reads the text form. Its error wraps ErrMalformed.
func ParseInvocationID(s string) (InvocationID, error) {
	var id InvocationID
	if len(s) != invocationLen || s[:len(invocationPrefix)] != invocationPrefix {
		return id, fmt.Errorf("%w: an invocation id is %q followed by %d base-62 characters", ErrMalformed, invocationPrefix, digitsHigh+digitsLow)
	}
	s = s[len(invocationPrefix):]
	if !readBase62(id[:8], s[:digitsHigh]) || !readBase62(id[8:], s[digitsHigh:]) {
		return InvocationID{}, fmt.Errorf("%w: the digits of an invocation id are 0-9, a-z and A-Z, and name 24 bytes", ErrMalformed)
	}
	return id, nil
}
