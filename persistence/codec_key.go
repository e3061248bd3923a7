package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// All rows. A key starts with the partition (two bytes) and the table (one
// byte); the other parts follow big-endian, names last and unterminated.
//
//	table          parts of the key after partition and table         value
//	h head         service, 0, key                                    HeadRow
//	s state        object 16, generation 8, name                      StateRow (*)
//	q inbox        object 16, seq 8                                   InboxRow
//	i id           invocation id 24                                   IDRow
//	r invocation   birth 8                                            InvocationRow (*)
//	j journal      birth 8, first index 4                             JournalRow (*)
//	n signal       birth 8, signal index 4                            SignalRow
//	p pending      birth 8, completion id 4                           PendingRow
//	w waiter       birth 8, seq 8                                     WaiterRow
//	t timer        due 8, birth 8, slot 4                             TimerRow
//	o outbox       seq 8, position 4                                  OutboxRow (*)
//	a active       birth 8                                            ActiveRow
//	k status       class 8, birth 8                                   StatusRow (empty body)
//	e expiry       hour 8, birth 8, what 4                            ExpiryRow
//	m marker       invocation id 24                                   MarkerRow
//	d promise      object 16, generation 8, name                      PromiseRow (*)
//	b listener     object 16, generation 8, promise 8, listener 4     ListenerRow
//	y alias        alias 24                                           AliasRow
//	x chore        seq 8, position 4                                  ChoreRow (*)
//	u patch        seq 8                                              PatchRow (*)
//	c chunk        table 1, owner 8, seq 8, blob 4, number 4          a piece of a payload
//	I intent       table 1, owner 8, seq 8, first blob 4              how many blobs nobody names
//	M meta         (partition FFFF)                                   last commit, boot, marks
//
// Rows marked (*) may own chunks: owner is the birth, generation or seq of
// their key, seq the number of the output that wrote them. Chunk, intent and
// meta rows never leave this package.
//
// A value is version 1, flags 1, CRC32C 4 (over key, version, flags and all
// that follows), with flagChunks a list of blobs, then the body. Bodies are
// append-only in their fields: a reader takes missing trailing fields as zero
// and ignores trailing fields that it does not know.
const (
	tableChunk  machine.Table = 'c'
	tableIntent machine.Table = 'I'
	tableMeta   machine.Table = 'M'
)

const (
	keyHeader = 3
	// maxKeyBytes is below what the engine takes (65,000).
	maxKeyBytes = 64_000
)

// shape says which parts a table uses.
type shape uint8

const (
	hasObject shape = 1 << iota
	hasID
	hasA
	hasB
	hasC
	hasName
)

func shapeOf(t machine.Table) (shape, bool) {
	switch t {
	case machine.TableHead:
		return hasName, true
	case machine.TableState, machine.TablePromise:
		return hasObject | hasA | hasName, true
	case machine.TableListener:
		return hasObject | hasA | hasB | hasC, true
	case machine.TableInbox:
		return hasObject | hasA, true
	case machine.TableID, machine.TableMarker, machine.TableAlias:
		return hasID, true
	case machine.TableInvocation, machine.TableActive, machine.TablePatch:
		return hasA, true
	case machine.TableJournal, machine.TableSignal, machine.TablePending, machine.TableOutbox, machine.TableChore:
		return hasA | hasC, true
	case machine.TableWaiter, machine.TableStatus:
		return hasA | hasB, true
	case machine.TableTimer, machine.TableExpiry:
		return hasA | hasB | hasC, true
	default:
		return 0, false
	}
}

// ownsChunks reports whether rows of t may name chunks.
func ownsChunks(t machine.Table) bool {
	switch t {
	case machine.TableState, machine.TableInvocation, machine.TableJournal, machine.TableOutbox, machine.TablePromise, machine.TableChore, machine.TablePatch:
		return true
	default:
		return false
	}
}

var (
	errTable     = errors.New("no such table")
	errPartition = errors.New("no such partition")
)

// appendKey appends the bytes of k.
func appendKey(b []byte, k *machine.Key) ([]byte, error) {
	s, ok := shapeOf(k.Table)
	switch {
	case !ok:
		return b, fmt.Errorf("key of table %q: %w", byte(k.Table), errTable)
	case k.Partition >= ident.Partitions:
		return b, fmt.Errorf("key in partition %d: %w", k.Partition, errPartition)
	}
	b = appendKeyHeader(b, k.Partition, k.Table)
	if s&hasObject != 0 {
		b = append(b, k.Object[:]...)
	}
	if s&hasID != 0 {
		b = append(b, k.ID[:]...)
	}
	if s&hasA != 0 {
		b = binary.BigEndian.AppendUint64(b, k.A)
	}
	if s&hasB != 0 {
		b = binary.BigEndian.AppendUint64(b, k.B)
	}
	if s&hasC != 0 {
		b = binary.BigEndian.AppendUint32(b, k.C)
	}
	if s&hasName != 0 {
		b = append(b, k.Name...)
	}
	return b, nil
}

func appendKeyHeader(b []byte, p ident.Partition, t machine.Table) []byte {
	return append(b, byte(p>>8), byte(p), byte(t))
}

// parseKey reads the bytes of a key of one of the machine's tables.
func parseKey(b []byte) (machine.Key, error) {
	var k machine.Key
	if len(b) < keyHeader {
		return k, fmt.Errorf("key %x is too short: %w", b, ErrCorrupt)
	}
	k.Partition, k.Table = ident.Partition(binary.BigEndian.Uint16(b)), machine.Table(b[2])
	s, ok := shapeOf(k.Table)
	d := decoder{b: b[keyHeader:], strict: true}
	if s&hasObject != 0 {
		copy(k.Object[:], d.fixed(len(k.Object)))
	}
	if s&hasID != 0 {
		copy(k.ID[:], d.fixed(len(k.ID)))
	}
	if s&hasA != 0 {
		k.A = d.u64()
	}
	if s&hasB != 0 {
		k.B = d.u64()
	}
	if s&hasC != 0 {
		k.C = d.u32()
	}
	if s&hasName != 0 {
		k.Name, d.b = string(d.b), nil
	}
	if !ok || d.bad || len(d.b) != 0 {
		return machine.Key{}, fmt.Errorf("key %x does not fit its table: %w", b, ErrCorrupt)
	}
	return k, nil
}

// metaKey returns the key of the one meta row.
func metaKey() []byte { return appendKeyHeader(nil, 0xFFFF, tableMeta) }
