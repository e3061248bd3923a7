package persistence

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
)

// A log file of the engine (*.mem) is a header and records, one for each row of
// a transaction and one that ends it, and zeros up to its size:
//
//	record   meta 1, user meta 1, key length, value length, expiry (varints),
//	         key with inverted timestamp in its last 8 bytes, value, CRC32C
//	meta     0x40 a row (0x41 a delete), 0x80 the end of a transaction
//
// Transactions are synced one by one, so only the last one can be torn by a
// power cut, and nothing of a later one can stand behind it. Telling a torn
// transaction, which nobody was told about, from a damaged one is the task
// here: the first is dropped, the second refuses the start.
const (
	logHeader    = 20
	recordRow    = 0x40
	recordDelete = 0x41
	recordEnd    = 0x80
	recordSum    = 4
	pageBytes    = 4096
)

const endKey = "!badger!txn"

// logRecord is one parsed record.
type logRecord struct {
	meta byte
	ts   uint64
	// size is the length of the whole record.
	size int
}

// logSpan is the first and the last complete transaction of a log file, zero
// when it has none, and the offset behind the last one. torn says that a part of
// another one stands there.
type logSpan struct {
	first, last uint64
	end         int
	torn        bool
}

// scanLog reads a log file whose first transaction should be next, or an
// earlier one that is in a table already.
func scanLog(data []byte, next uint64) (span logSpan, err error) {
	if len(data) < logHeader {
		return span, fmt.Errorf("it has %d bytes, less than its header: %w", len(data), ErrCorrupt)
	}
	if binary.BigEndian.Uint64(data) != 0 {
		return span, fmt.Errorf("its header names an encryption key: %w", ErrCorrupt)
	}
	pos, open := logHeader, uint64(0)
	span.end = pos
	for {
		r, ok := parseRecord(data[pos:])
		if !ok || open != 0 && r.ts != open || r.meta == recordEnd && open == 0 {
			break
		}
		pos, open = pos+r.size, r.ts
		if r.meta != recordEnd {
			continue
		}
		if span.last != 0 && r.ts != span.last+1 {
			return span, fmt.Errorf("transaction %d follows transaction %d: %w", r.ts, span.last, ErrCorrupt)
		}
		if span.first == 0 {
			span.first = r.ts
		}
		span.last, span.end, open = r.ts, pos, 0
	}
	torn := tail{data: data, pos: pos, ts: open, open: open != 0}
	switch {
	case open != 0:
	case span.last != 0:
		torn.ts = span.last + 1
	default:
		torn.ts = next
	}
	span.torn, err = torn.check()
	return span, err
}

// parseRecord reads the record at the start of b and checks its sum.
func parseRecord(b []byte) (r logRecord, ok bool) {
	key, value, size, ok := recordParts(b)
	if !ok || size > len(b) {
		return r, false
	}
	if binary.BigEndian.Uint32(b[size-recordSum:]) != crc32.Checksum(b[:size-recordSum], castagnoli()) {
		return r, false
	}
	r = logRecord{meta: b[0], ts: math.MaxUint64 - binary.BigEndian.Uint64(key[len(key)-8:]), size: size}
	if r.meta == recordEnd {
		ts, err := strconv.ParseUint(string(value), 10, 64)
		ok = err == nil && ts == r.ts
	}
	return r, ok
}

// recordParts reads the header at the start of b. The record may reach beyond
// b; key and value are then nil.
func recordParts(b []byte) (key, value []byte, size int, ok bool) {
	if len(b) < 5 || b[1] != 0 || b[0] != recordRow && b[0] != recordDelete && b[0] != recordEnd {
		return nil, nil, 0, false
	}
	keyLen, n := binary.Uvarint(b[2:])
	if n <= 0 || keyLen <= 8 || keyLen > 1<<16 {
		return nil, nil, 0, false
	}
	at := 2 + n
	valueLen, n := binary.Uvarint(b[at:])
	if n <= 0 || valueLen > 1<<30 {
		return nil, nil, 0, false
	}
	at += n
	expiry, n := binary.Uvarint(b[at:])
	if n <= 0 || expiry != 0 {
		return nil, nil, 0, false
	}
	at += n
	size = at + int(keyLen) + int(valueLen) + recordSum
	if size > len(b) {
		return nil, nil, size, true
	}
	return b[at : at+int(keyLen)], b[at+int(keyLen) : size-recordSum], size, true
}

// tail is what stands in a log file behind its last readable record.
type tail struct {
	data []byte
	pos  int
	// ts is the transaction that would stand there, open says that rows of it
	// stand before.
	ts   uint64
	open bool
}

// check reports whether there is something, and returns an error when it is not a torn
// transaction.
func (t *tail) check() (torn bool, err error) {
	if t.cut() {
		return true, t.damaged("the file is cut there")
	}
	end := dataEnd(t.data)
	if end <= t.pos {
		return t.open, nil
	}
	good, complete, later := t.search(end)
	switch {
	case later:
		return true, t.damaged("later transactions follow")
	case good > 0 && t.hole(good):
		return true, nil
	case complete:
		return true, t.damaged("the end of its transaction follows")
	case good > 0:
		return true, nil // rows of a transaction that never ended
	}
	return true, t.checkLast(end)
}

// cut reports whether the file ends inside of a transaction. The engine makes a
// log file longer than what it will hold, and cuts one only behind a whole
// transaction, when it opens.
func (t *tail) cut() bool {
	if t.pos == len(t.data) {
		return t.open
	}
	_, _, size, ok := recordParts(t.data[t.pos:])
	return t.data[len(t.data)-1] != 0 || ok && t.pos+size > len(t.data)
}

func (t *tail) damaged(how string) error {
	return fmt.Errorf("transaction %d is damaged at offset %d, and %s: %w", t.ts, t.pos, how, ErrCorrupt)
}

// search looks for readable records behind the damage: the offset of the first
// one, whether the end of the transaction is among them, and whether one
// belongs to a later transaction.
func (t *tail) search(end int) (good int, complete, later bool) {
	for at := t.pos + 1; at < end; {
		r, ok := parseRecord(t.data[at:])
		if !ok || r.ts < t.ts {
			at++
			continue
		}
		if good == 0 {
			good = at
		}
		complete = complete || r.meta == recordEnd
		if r.ts > t.ts {
			return good, complete, true
		}
		at += r.size
	}
	return good, complete, false
}

// hole reports whether a page between the damage and end was never written: a
// power cut keeps some pages of a transaction and loses others, which read as
// zeros, while other damage is not that regular.
func (t *tail) hole(end int) bool {
	for from := t.pos; from < end; {
		to := (from/pageBytes + 1) * pageBytes
		if to > end {
			return false
		}
		// Three bytes reach the length of the key, which is never zero.
		if to-from >= 3 && len(bytes.TrimRight(t.data[from:to], "\x00")) == 0 {
			return true
		}
		from = to
	}
	return false
}

// checkLast judges a tail in which no record can be read. A write that was
// interrupted leaves the beginning of a record, a record without its first
// bytes (the copy of a long one aligns itself and writes up to 32 bytes of its
// beginning after the rest), or pages that were never written.
func (t *tail) checkLast(end int) error {
	const header = 22
	_, _, size, ok := recordParts(t.data[t.pos:])
	switch {
	case t.hole(end):
		return nil
	case t.resemblesEnd(end):
		return t.damaged("its end was written")
	case t.data[t.pos] == 0:
		return nil // a long copy writes its first bytes last
	case !ok && end-t.pos > header:
		return t.damaged("what stands there is no record")
	case ok && end >= t.pos+size:
		return t.damaged("its record is whole")
	}
	return nil
}

// dataEnd returns the offset behind the last byte that is not zero. Log files
// are mostly zeros, so it looks at whole pages first.
func dataEnd(b []byte) int {
	var zeros [pageBytes]byte
	for len(b) >= pageBytes && bytes.Equal(b[len(b)-pageBytes:], zeros[:]) {
		b = b[:len(b)-pageBytes]
	}
	return len(bytes.TrimRight(b, "\x00"))
}

// resemblesEnd reports whether the tail is the end record of the transaction
// except for a few bytes. Its checksum may end with zeros, though hardly with
// more than two.
func (t *tail) resemblesEnd(end int) bool {
	want := endRecord(t.ts)
	if end > t.pos+len(want) || end < t.pos+len(want)-2 || t.pos+len(want) > len(t.data) {
		return false
	}
	different := 0
	for i, b := range want {
		if t.data[t.pos+i] != b {
			different++
		}
	}
	return different <= 4
}

// endRecord returns the record that ends transaction ts.
func endRecord(ts uint64) []byte {
	value := strconv.AppendUint(nil, ts, 10)
	b := []byte{recordEnd, 0, byte(len(endKey) + 8), byte(len(value)), 0}
	b = append(b, endKey...)
	b = binary.BigEndian.AppendUint64(b, math.MaxUint64-ts)
	b = append(b, value...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}
