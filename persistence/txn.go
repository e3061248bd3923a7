package persistence

import (
	"bytes"
	"hash/maphash"
)

// entry is one row of an engine transaction.
type entry struct {
	key []byte
	// value is nil for a delete.
	value  []byte
	claims claims
}

// txn collects the writes of one engine transaction, one entry per key.
//
// The last write of a row wins and a delete stays a delete: what the row was on
// disk must be overwritten. Only a row that was put as fresh and is deleted in
// the same transaction leaves no trace, for there is nothing to overwrite. All
// this happens within one transaction; between two of them nothing is dropped,
// or a crash in between would leave the first batch without its row.
type txn struct {
	entries []entry
	index   keyIndex
	// size is what the engine will count, with room for an intent per entry
	// that may drop blobs; rows likewise.
	size, rows int
}

const (
	// entryOverhead is what the engine adds to a key and value.
	entryOverhead = 12
	// intentReserve is the size of one intent row.
	intentReserve = ownerKeyBytes + 4 + valueHeader + 10 + entryOverhead
)

func newTxn() *txn { return &txn{index: keyIndex{seed: maphash.MakeSeed()}} }

func (t *txn) reset() {
	clear(t.entries)
	t.index.reset()
	t.entries, t.size, t.rows = t.entries[:0], 0, 0
}

// cost returns the most that a write adds to size and rows.
func cost(keyLen, valueLen int, c claims) (size, rows int) {
	size, rows = keyLen+valueLen+entryOverhead, 1
	if c&(isOwner|needsOld) != 0 {
		size, rows = size+intentReserve, rows+1
	}
	return size, rows
}

// add puts or deletes a row. It returns the entry that it replaced when that
// one named blobs, which nobody names now.
func (t *txn) add(key, value []byte, c claims) (replaced entry, dropped bool) {
	size, rows := cost(len(key), len(value), c)
	t.size, t.rows = t.size+size, t.rows+rows
	if c&isDelete != 0 {
		value = nil
	}
	i, known := t.index.find(t.entries, key)
	if !known {
		t.entries = append(t.entries, entry{key: key, value: value, claims: c})
		return entry{}, false
	}
	e := &t.entries[i]
	replaced, dropped = *e, e.claims&isOwner != 0
	// What is on disk under the key is a matter of the first write.
	const onDisk = isFresh | needsOld
	e.value, e.claims = value, c&^onDisk|e.claims&onDisk
	return replaced, dropped
}

// vanishes reports whether the entry leaves no trace.
func (e *entry) vanishes() bool { return e.claims&(isDelete|isFresh) == isDelete|isFresh }

// keyIndex finds the entry of a key. A map from strings to numbers would do,
// and would allocate a string for each row that is written; this is a table of
// numbers of entries with linear probing, and the keys stay where they are.
type keyIndex struct {
	seed maphash.Seed
	// slots hold numbers of entries plus one, zero where there is none.
	// Invariant: len(slots) is a power of two, or zero, and more than half of
	// them are zero.
	slots []uint32
}

// Tables of an index. One that has grown over maxKeptSlots for a large
// transaction is not cleared for each small one.
const (
	minSlots     = 256
	maxKeptSlots = 16 << 10
)

func (x *keyIndex) reset() {
	if len(x.slots) > maxKeptSlots {
		x.slots = nil
	}
	clear(x.slots)
}

// find returns the number of the entry of key. When there is none, the caller
// appends one to entries, and the index knows it already.
func (x *keyIndex) find(entries []entry, key []byte) (n int, known bool) {
	if 2*(len(entries)+1) >= len(x.slots) {
		x.grow(entries)
	}
	at, known := x.slot(entries, key)
	if !known {
		x.slots[at] = uint32(len(entries)) + 1
	}
	return int(x.slots[at]) - 1, known
}

// slot returns the slot of key, or the free one where it belongs.
func (x *keyIndex) slot(entries []entry, key []byte) (at int, known bool) {
	mask := len(x.slots) - 1
	for at = int(maphash.Bytes(x.seed, key)) & mask; x.slots[at] != 0; at = (at + 1) & mask {
		if bytes.Equal(entries[x.slots[at]-1].key, key) {
			return at, true
		}
	}
	return at, false
}

func (x *keyIndex) grow(entries []entry) {
	x.slots = make([]uint32, max(minSlots, 2*len(x.slots)))
	for i := range entries {
		at, _ := x.slot(entries[:i], entries[i].key)
		x.slots[at] = uint32(i) + 1
	}
}
