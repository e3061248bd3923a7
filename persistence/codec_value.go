package persistence

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/dormouse-run/dormouse/internal/ident"
)

const (
	valueVersion = 1
	valueHeader  = 6
	// flagChunks: a list of blobs stands before the body.
	flagChunks = 1 << 0
	knownFlags = flagChunks
)

// castagnoli returns the table of CRC32C, which the standard library builds
// once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// seal fills the header of value, whose first valueHeader bytes are reserved.
func seal(key, value []byte, flags byte) {
	value[0], value[1] = valueVersion, flags
	binary.BigEndian.PutUint32(value[2:], checksum(key, value))
}

func checksum(key, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli(), key)
	sum = crc32.Update(sum, castagnoli(), value[:2])
	return crc32.Update(sum, castagnoli(), value[valueHeader:])
}

// unseal checks the header of value and returns its flags and what follows.
func unseal(key, value []byte) (flags byte, body []byte, err error) {
	switch {
	case len(value) < valueHeader:
		return 0, nil, damaged(key, "the value is cut short")
	case binary.BigEndian.Uint32(value[2:]) != checksum(key, value):
		return 0, nil, damaged(key, "the checksum does not fit")
	case value[0] != valueVersion || value[1]&^knownFlags != 0:
		return 0, nil, fmt.Errorf("row %s has version %d and flags %02x: %w", keyText(key), value[0], value[1], ErrFormat)
	}
	return value[1], value[valueHeader:], nil
}

func damaged(key []byte, what string) error {
	return fmt.Errorf("row %s: %s: %w", keyText(key), what, ErrCorrupt)
}

// keyText names a key in errors: partition, table, rest in hex.
func keyText(key []byte) string {
	if len(key) < keyHeader {
		return fmt.Sprintf("%x", key)
	}
	return fmt.Sprintf("%d/%c/%x", binary.BigEndian.Uint16(key), key[2], key[keyHeader:])
}

// encoder appends the fields of one row after another to buf. The first error
// sticks.
type encoder struct {
	buf []byte
	// limit is the length up to which a payload stays inside its row.
	limit int
	// blobs are the payloads of the current row that were split off.
	blobs [][]byte
	// last is the latest time in the row so far.
	last int64
	err  error
}

// Fields of fixed and of variable width. num takes numbers that are mostly
// small, int those that may be negative.
func (e *encoder) u8(v uint8)    { e.buf = append(e.buf, v) }
func (e *encoder) u64(v uint64)  { e.buf = binary.BigEndian.AppendUint64(e.buf, v) }
func (e *encoder) num(v uint64)  { e.buf = binary.AppendUvarint(e.buf, v) }
func (e *encoder) n32(v uint32)  { e.num(uint64(v)) }
func (e *encoder) int(v int64)   { e.buf = binary.AppendVarint(e.buf, v) }
func (e *encoder) raw(v []byte)  { e.buf = append(e.buf, v...) }
func (e *encoder) text(s string) { e.num(uint64(len(s))); e.buf = append(e.buf, s...) }

func (e *encoder) seq(s ident.Seq)          { e.num(uint64(s)) }
func (e *encoder) id(id ident.InvocationID) { e.buf = append(e.buf, id[:]...) }
func (e *encoder) object(o ident.ObjectKey) { e.text(o.Service); e.text(o.Key) }
func (e *encoder) flags(claims ...bool)     { e.u8(packFlags(claims)) }
func (e *encoder) target(t *ident.Target) {
	e.text(t.Service)
	e.text(t.Key)
	e.text(t.Handler)
	e.u8(uint8(t.Kind))
}
func (e *encoder) inline(v []byte, blob uint64) { e.num((uint64(len(v))<<1 | blob) + 1) }

// time appends a time in milliseconds, 0 for none, as the distance from the one
// before it in the row, which must not be the whole range of its type. The times
// of a record are close together: most of them take one or two bytes, where six
// would tell the day, too.
func (e *encoder) time(t int64) {
	if t == 0 {
		e.num(0)
		return
	}
	d := t - e.last
	e.num(uint64(d<<1^d>>63) + 1)
	e.last = t
}

func packFlags(claims []bool) (b uint8) {
	for i, c := range claims {
		if c {
			b |= 1 << i
		}
	}
	return b
}

// payload appends bytes that may be large. Its first number is 0 for nil, else
// one more than the length shifted over a bit that says whether the bytes
// follow or stand in the next blob of the row.
func (e *encoder) payload(v []byte) {
	switch {
	case v == nil:
		e.num(0)
	case len(v) > e.limit:
		e.inline(v, 1)
		e.blobs = append(e.blobs, v)
	default:
		e.inline(v, 0)
		e.raw(v)
	}
}

// decoder reads fields in the order in which they were appended. At the end of
// the body every field reads as zero, unless strict is set; a field that is cut
// in the middle makes the row bad. Byte slices it returns lie in b.
type decoder struct {
	b      []byte
	blobs  [][]byte
	last   int64
	strict bool
	bad    bool
}

func (d *decoder) fail() { d.bad, d.b = true, nil }

// fixed returns the next n bytes, or nil.
func (d *decoder) fixed(n int) []byte {
	if len(d.b) == 0 && !d.strict {
		return nil
	}
	if n < 0 || len(d.b) < n {
		d.fail()
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) u8() uint8 {
	if v := d.fixed(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if v := d.fixed(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if v := d.fixed(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (d *decoder) num() uint64 {
	if len(d.b) == 0 {
		d.bad = d.bad || d.strict
		return 0
	}
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) n32() uint32 {
	v := d.num()
	if v > 1<<32-1 {
		d.fail()
		return 0
	}
	return uint32(v)
}

func (d *decoder) int() int64 {
	if len(d.b) == 0 {
		return 0
	}
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) time() int64 {
	v := d.num()
	if v == 0 {
		return 0
	}
	v--
	d.last += int64(v>>1) ^ -int64(v&1)
	return d.last
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	if n == 0 {
		return []byte{}
	}
	return d.fixed(int(n))
}

func (d *decoder) text() string   { return string(d.bytes(d.num())) }
func (d *decoder) seq() ident.Seq { return ident.Seq(d.num()) }

// flags reads what encoder.flags packed.
func (d *decoder) flags() (claims [8]bool) {
	b := d.u8()
	for i := range claims {
		claims[i] = b&(1<<i) != 0
	}
	return claims
}

func (d *decoder) id() (id ident.InvocationID) {
	copy(id[:], d.fixed(len(id)))
	return id
}

func (d *decoder) object() ident.ObjectKey {
	return ident.ObjectKey{Service: d.text(), Key: d.text()}
}

func (d *decoder) target() ident.Target {
	return ident.Target{Service: d.text(), Key: d.text(), Handler: d.text(), Kind: ident.Kind(d.u8())}
}

// count reads the length of a list whose elements take at least one byte each.
func (d *decoder) count() int {
	n := d.num()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) payload() []byte {
	tag := d.num()
	if tag == 0 {
		return nil
	}
	n, blob := (tag-1)>>1, (tag-1)&1 == 1
	if !blob {
		return d.bytes(n)
	}
	if len(d.blobs) == 0 || uint64(len(d.blobs[0])) != n {
		d.fail()
		return nil
	}
	v := d.blobs[0]
	d.blobs = d.blobs[1:]
	return v
}
