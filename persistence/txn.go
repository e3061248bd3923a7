package persistence

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
	index   map[string]int
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

func newTxn() *txn { return &txn{index: map[string]int{}} }

func (t *txn) reset() {
	clear(t.entries)
	clear(t.index)
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
	i, known := t.index[string(key)]
	if !known {
		t.index[string(key)] = len(t.entries)
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
