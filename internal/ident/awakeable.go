package ident

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Signal indexes of an invocation. Index 1 cancels it, 2 to 16 are reserved,
// awakeables are counted from FirstAwakeable.
const (
	CancelSignal   uint32 = 1
	FirstAwakeable uint32 = 17
)

// AwakeableID names one awakeable: the invocation that created it and the
// signal index under which its answer arrives.
type AwakeableID struct {
	Invocation InvocationID
	Index      uint32
}

// Errors of ParseAwakeableID beside ErrMalformed.
var (
	// ErrReservedSignal is returned for a well-formed id whose index is below
	// FirstAwakeable: it would cancel an invocation instead of answering it.
	ErrReservedSignal = errors.New("the signal index of this id is reserved and is not an awakeable")
	// ErrForeignAwakeable is returned for the older prom_1 form, which this
	// runtime never issues.
	ErrForeignAwakeable = errors.New("this runtime has never issued awakeable ids of the form prom_1")
)

const (
	awakeablePrefix = "sign_1"
	foreignPrefix   = "prom_1"
	awakeableBytes  = 28
)

// String returns the text form: sign_1 and 38 base64url characters.
func (id AwakeableID) String() string {
	var raw [awakeableBytes]byte
	copy(raw[:], id.Invocation[:])
	binary.BigEndian.PutUint32(raw[24:], id.Index)
	return awakeablePrefix + base64.RawURLEncoding.EncodeToString(raw[:])
}

// ParseAwakeableID reads the text form. Its error wraps ErrMalformed,
// ErrReservedSignal or ErrForeignAwakeable.
func ParseAwakeableID(s string) (AwakeableID, error) {
	prefix, foreign := awakeablePrefix, strings.HasPrefix(s, foreignPrefix)
	if foreign {
		prefix = foreignPrefix
	}
	text, ok := strings.CutPrefix(s, prefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(raw) != awakeableBytes || strings.ContainsAny(text, "\r\n") {
		return AwakeableID{}, fmt.Errorf("%w: an awakeable id is %q followed by 38 base64url characters", ErrMalformed, awakeablePrefix)
	}
	id := AwakeableID{Invocation: InvocationID(raw[:24]), Index: binary.BigEndian.Uint32(raw[24:])}
	switch {
	case foreign:
		return AwakeableID{}, ErrForeignAwakeable
	case id.Index < FirstAwakeable:
		return AwakeableID{}, ErrReservedSignal
	}
	return id, nil
}
