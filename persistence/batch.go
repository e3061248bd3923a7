package persistence

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Batch is one encoded output. It is made by Encode, belongs to the store that
// made it, and does not change; it may be handed between goroutines.
type Batch struct {
	// Seq is the number of the output.
	Seq ident.Seq
	// Bytes and Rows count everything that a commit of the batch writes: keys,
	// values and chunks.
	Bytes, Rows int
	// EarliestTimer is the lowest due time, in milliseconds since the epoch, of
	// the timer rows that the batch puts; 0 when it puts none.
	EarliestTimer int64

	// ahead holds chunks and their intents, named the rows of the output. All
	// bytes of a section lie in one slice. named is nil once the batch is
	// committed; see encodings.
	ahead section
	named *section
}

type section struct {
	buf []byte
	ops []op
}

// op is one write of a section: its key is buf[key:value], its value
// buf[value:end].
type op struct {
	key, value, end uint32
	claims          claims
}

// claims is what is known about a write without looking at the store.
type claims uint8

const (
	// isDelete removes the row.
	isDelete claims = 1 << iota
	// isFresh: there is no row under the key.
	isFresh
	// isOwner: the value names blobs.
	isOwner
	// needsOld: what is overwritten or removed may name blobs.
	needsOld
)

// spillBytes is the size from which payloads are split off when an output is
// too large otherwise.
const spillBytes = 8 << 10

// encodings encodes outputs, and keeps the memory of those that were committed
// for the next ones. The zero value is ready; all methods may be called
// concurrently.
//
// The bytes of a batch have one owner after the other: the actor that encodes
// it, the committer from when the output is queued, and this pool from when the
// commit is done. Nobody reads them then: Badger has copied keys and values to
// its log and its skiplist before it answers, the twin makes strings of them,
// and the open transaction has been reset. What failed to commit is not taken
// back, because a write under way may still read it.
type encodings struct{ free sync.Pool }

// Sections that have grown larger than this are not kept: outputs wait in a
// queue without a bound, and each holds the whole of its memory.
const (
	keptBytes = 4 << 10
	keptRows  = 64
)

// encode is Encode of both stores.
//
// It tries with payloads up to ChunkBytes inside their rows first. Many
// middle-sized payloads can make an output too large for one commit; then
// payloads from spillBytes are split off as well.
func (e *encodings) encode(seq ident.Seq, writes []machine.Write) (*Batch, error) {
	b, err := e.encodeWithin(ChunkBytes, seq, writes)
	if errors.Is(err, ErrTooLarge) {
		b, err = e.encodeWithin(spillBytes, seq, writes)
	}
	if err != nil {
		return nil, fmt.Errorf("encode output %v: %w", seq, err)
	}
	return b, nil
}

func (e *encodings) encodeWithin(limit int, seq ident.Seq, writes []machine.Write) (*Batch, error) {
	s := e.section(len(writes))
	w := batchWriter{batch: &Batch{Seq: seq, named: s}, named: encoder{buf: s.buf, limit: limit}}
	for i := range writes {
		var err error
		if writes[i].Put != nil {
			err = w.put(&writes[i])
		} else {
			err = w.delete(&writes[i].Delete)
		}
		if err != nil {
			return nil, err
		}
	}
	return w.finish()
}

// section returns an empty section, with room for about so many rows.
func (e *encodings) section(rows int) *section {
	if s, ok := e.free.Get().(*section); ok {
		return s
	}
	return &section{buf: make([]byte, 0, 192*rows+256), ops: make([]op, 0, rows)}
}

// reclaim takes the memory of a batch that was committed.
func (e *encodings) reclaim(b *Batch) {
	s := b.named
	b.ahead, b.named = section{}, nil
	if cap(s.buf) <= keptBytes && cap(s.ops) <= keptRows {
		s.buf, s.ops = s.buf[:0], s.ops[:0]
		e.free.Put(s)
	}
}

// batchWriter fills a batch.
type batchWriter struct {
	batch        *Batch
	named, ahead encoder
	// blobs counts the blobs of the output.
	blobs uint32
}

func (w *batchWriter) delete(k *machine.Key) error {
	start := len(w.named.buf)
	if err := w.key(k); err != nil {
		return err
	}
	c := isDelete
	if ownsChunks(k.Table) {
		c |= needsOld
	}
	end := uint32(len(w.named.buf))
	w.batch.named.ops = append(w.batch.named.ops, op{key: uint32(start), value: end, end: end, claims: c})
	return nil
}

func (w *batchWriter) put(write *machine.Write) error {
	e, k := &w.named, write.Put.Key()
	start := len(e.buf)
	if err := w.key(&k); err != nil {
		return err
	}
	value := len(e.buf)
	e.buf = append(e.buf, make([]byte, valueHeader)...)
	e.blobs, e.last = e.blobs[:0], 0
	e.row(write.Put)
	if e.err != nil {
		return e.err
	}
	c := claimsOf(write, k.Table)
	var flags byte
	if len(e.blobs) > 0 {
		c, flags = c|isOwner, flagChunks
		w.splitOff(&k, value+valueHeader)
	}
	if len(e.buf) > MaxBatchBytes {
		return w.tooLarge()
	}
	seal(e.buf[start:value], e.buf[value:], flags)
	w.batch.named.ops = append(w.batch.named.ops, op{key: uint32(start), value: uint32(value), end: uint32(len(e.buf)), claims: c})
	if t, ok := write.Put.(*machine.TimerRow); ok {
		w.timer(t.Due)
	}
	return nil
}

// claimsOf says what a put knows. Only a completed invocation has a result, and
// completion is final: what an invocation row in another status overwrites
// names no blobs. The same holds for a promise that is open.
func claimsOf(write *machine.Write, t machine.Table) (c claims) {
	if write.Fresh {
		return isFresh
	}
	if !ownsChunks(t) {
		return 0
	}
	switch r := write.Put.(type) {
	case *machine.InvocationRow:
		if r.Status != machine.StatusCompleted {
			return 0
		}
	case *machine.PromiseRow:
		if r.Result.Kind == journal.ResultNone {
			return 0
		}
	}
	return needsOld
}

func (w *batchWriter) key(k *machine.Key) (err error) {
	start := len(w.named.buf)
	w.named.buf, err = appendKey(w.named.buf, k)
	if n := len(w.named.buf) - start; err == nil && n > maxKeyBytes {
		err = fmt.Errorf("a key of table %q has %d bytes, and %d are possible: %w", byte(k.Table), n, maxKeyBytes, ErrTooLarge)
	}
	return err
}

func (w *batchWriter) timer(due int64) {
	if w.batch.EarliestTimer == 0 || due < w.batch.EarliestTimer {
		w.batch.EarliestTimer = due
	}
}

// splitOff writes the blobs of the row under k ahead and their list at offset
// body of the row.
func (w *batchWriter) splitOff(k *machine.Key, body int) {
	s := blobs{partition: k.Partition, table: k.Table, owner: k.A, seq: w.batch.Seq, first: w.blobs}
	for _, b := range w.named.blobs {
		s.sizes = append(s.sizes, uint64(len(b)))
	}
	w.blobs += uint32(len(s.sizes))
	w.named.buf = slices.Insert(w.named.buf, body, s.appendList(nil)...)

	w.aheadRow(s.appendIntentKey(nil), func(b, key []byte) []byte { return s.appendIntentValue(b, key) })
	for i, b := range w.named.blobs {
		n := uint32(0)
		for piece := range slices.Chunk(b, ChunkBytes) {
			w.aheadRow(s.appendChunkKey(nil, uint32(i), n), func(b, key []byte) []byte { return appendChunkValue(b, key, piece) })
			n++
		}
	}
}

func appendChunkValue(b, key, piece []byte) []byte {
	start := len(b)
	b = slices.Grow(b, valueHeader+len(piece))
	b = append(b, make([]byte, valueHeader)...)
	b = append(b, piece...)
	seal(key, b[start:], 0)
	return b
}

func (w *batchWriter) aheadRow(key []byte, value func(b, key []byte) []byte) {
	start := len(w.ahead.buf)
	w.ahead.buf = append(w.ahead.buf, key...)
	middle := len(w.ahead.buf)
	w.ahead.buf = value(w.ahead.buf, key)
	w.batch.ahead.ops = append(w.batch.ahead.ops, op{
		key: uint32(start), value: uint32(middle), end: uint32(len(w.ahead.buf)), claims: isFresh,
	})
}

func (w *batchWriter) tooLarge() error {
	return fmt.Errorf("%d bytes and %d rows, of which %d and %d are possible: %w",
		len(w.named.buf), len(w.batch.named.ops), MaxBatchBytes, MaxBatchRows, ErrTooLarge)
}

func (w *batchWriter) finish() (*Batch, error) {
	b := w.batch
	if len(w.named.buf) > MaxBatchBytes || len(b.named.ops) > MaxBatchRows {
		return nil, w.tooLarge()
	}
	if uint64(len(w.ahead.buf)) > maxAheadBytes {
		return nil, fmt.Errorf("payloads of %d bytes: %w", len(w.ahead.buf), ErrTooLarge)
	}
	b.named.buf, b.ahead.buf = w.named.buf, w.ahead.buf
	b.Bytes = len(w.named.buf) + len(w.ahead.buf)
	b.Rows = len(b.named.ops) + len(b.ahead.ops)
	return b, nil
}

// maxAheadBytes keeps the offsets of an op in their type.
const maxAheadBytes = 1 << 31
