package query

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"strings"
)

// Errors of cursors. Both are mistakes of whoever sent the cursor.
var (
	// ErrCursor is wrapped when a text is no cursor.
	ErrCursor = errors.New("malformed cursor: pass next_cursor of the last page as it is, or none for the first page")
	// ErrForeignCursor is wrapped when a cursor is one of another list, or of
	// this list with another filter or order.
	ErrForeignCursor = errors.New("the cursor belongs to another question: a cursor continues the list that gave it, with the same filters and the same order")
)

// cursorVersion is the first byte of a cursor.
const cursorVersion = 1

// A cursor is: version 1, length of the list's name 1, the name, hash of the
// filter 8, position, CRC32 of all that 4; the whole in base64url.

// EncodeCursor returns the cursor of a position in a list. filter is a text that
// differs wherever the answers do: everything that was asked except the limit.
// Position means something to the list alone. A name has at most 255 bytes.
func EncodeCursor(list, filter string, position []byte) string {
	b := append([]byte{cursorVersion, byte(len(list))}, list...)
	b = binary.BigEndian.AppendUint64(b, filterHash(filter))
	b = append(b, position...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor returns the position of a cursor of this list and filter, nil for
// the empty text, which is the start of the list. Its error wraps ErrCursor or
// ErrForeignCursor.
func DecodeCursor(text, list, filter string) (position []byte, err error) {
	if text == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) < 2+8+4 {
		return nil, ErrCursor
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	name := int(body[1])
	if crc32.ChecksumIEEE(body) != sum || len(body) < 2+name+8 {
		return nil, ErrCursor
	}
	if body[0] != cursorVersion {
		return nil, fmt.Errorf("%w (it is of version %d)", ErrCursor, body[0])
	}
	if got := string(body[2 : 2+name]); got != list {
		return nil, fmt.Errorf("%w (it is one of the list of %q)", ErrForeignCursor, got)
	}
	if binary.BigEndian.Uint64(body[2+name:]) != filterHash(filter) {
		return nil, fmt.Errorf("%w (it was given for other filters)", ErrForeignCursor)
	}
	return body[2+name+8:], nil
}

func filterHash(filter string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(filter))
	return h.Sum64()
}
