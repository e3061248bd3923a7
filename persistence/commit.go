package persistence

import (
	"fmt"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// engine is what a store stands on: sorted bytes with atomic transactions. Its
// methods have one caller at a time.
type engine interface {
	// write makes the entries durable, all or none, at the next timestamp.
	write(ts uint64, entries []entry) error
	// newest returns the value under key after the last write, nil when there
	// is none. It belongs to the caller.
	newest(key []byte) ([]byte, error)
	// scan calls fn for at most limit rows of [from, to) after the last write.
	// key and value are valid during the call.
	scan(from, to []byte, limit int, fn func(key, value []byte) error) error
}

// Limits of one engine transaction. The engine takes 2,516,582 bytes and 26,213
// rows; what is left is room for the meta row and the intents of dropped blobs.
const (
	maxTxnBytes = 2_400_000
	maxTxnRows  = 24_000
	// garbageSlice is how many chunk rows one commit removes beside its own
	// work.
	garbageSlice = 512
)

// commitLog turns groups of batches into transactions of an engine. Both stores use
// it, so that the twin differs in nothing but the engine.
type commitLog struct {
	mu     sync.Mutex
	engine engine
	// before is called before each transaction and may refuse it; after is
	// called with its timestamp when it is durable. Both may be nil.
	before func() error
	after  func(ts uint64) error

	// encodings lends batches their memory.
	encodings encodings

	meta meta
	info Info
	// failed is the error after which nothing is written any more.
	failed error
	txn    *txn
	// chunky says which partitions hold chunks.
	chunky [ident.Partitions]bool
	// dropped waits for removal. added are those of the open transaction, which
	// join dropped when it is durable.
	dropped, added []garbage
	// churn counts rows removed or overwritten since the last Tidy.
	churn int
}

// load reads how far the store had come.
func (l *commitLog) load() error {
	value, err := l.engine.newest(metaKey())
	if err != nil {
		return fmt.Errorf("read the meta row: %w", err)
	}
	if value != nil {
		l.meta, err = decodeMeta(value)
	}
	return err
}

// start raises the boot counter and removes the chunks that nobody names.
func (l *commitLog) start(clean bool) error {
	l.txn = newTxn()
	if l.meta.boot >= ident.MaxBoot {
		return fmt.Errorf("the directory was opened %d times, and more do not fit a sequence number: %w", l.meta.boot, ErrFormat)
	}
	if err := l.findChunks(); err != nil {
		return fmt.Errorf("look for chunks: %w", err)
	}
	l.meta.boot++
	if err := l.flush(); err != nil {
		return fmt.Errorf("raise the boot counter: %w", err)
	}
	l.info = Info{Boot: l.meta.boot, Clean: clean, Marks: l.meta.marks}
	return l.sweep()
}

// findChunks notes the partitions with chunks and the intents that are left.
func (l *commitLog) findChunks() error {
	for p := range ident.Partition(ident.Partitions) {
		from, to := tableRange(p, tableChunk)
		err := l.engine.scan(from, to, 1, func(_, _ []byte) error {
			l.chunky[p] = true
			return nil
		})
		if err != nil {
			return err
		}
		from, to = tableRange(p, tableIntent)
		err = l.engine.scan(from, to, 1<<30, func(key, value []byte) error {
			g, err := garbageOf(key, value)
			l.dropped = append(l.dropped, g)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func tableRange(p ident.Partition, t machine.Table) (from, to []byte) {
	return appendKeyHeader(nil, p, t), appendKeyHeader(nil, p, t+1)
}

// commit makes the group durable.
func (l *commitLog) commit(group []*Batch, marks Marks) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	if err := l.apply(group, marks); err != nil {
		l.fail(err)
		return err
	}
	for _, b := range group {
		l.encodings.reclaim(b)
	}
	return nil
}

// fail makes every later commit fail.
func (l *commitLog) fail(err error) {
	l.failed = fmt.Errorf("%w after a failed commit: %w", ErrClosed, err)
}

// close makes every later commit fail and reports whether every commit until
// now went well. It waits for one under way.
func (l *commitLog) close() (healthy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	healthy = l.failed == nil
	if healthy {
		l.failed = ErrClosed
	}
	return healthy
}

func (l *commitLog) apply(group []*Batch, marks Marks) error {
	// A lower timer mark holds before the first timer that needs it, a higher
	// one after the last row that was below it.
	raised := marks.Timers > l.meta.marks.Timers
	dirty := l.mark(marks, !raised)
	for _, b := range group {
		if err := l.addBatch(b); err != nil {
			return err
		}
	}
	if raised && l.mark(Marks{Timers: marks.Timers}, true) {
		dirty = true
	}
	if len(l.txn.entries) == 0 && !dirty {
		return nil
	}
	if err := l.addGarbage(garbageSlice); err != nil {
		return err
	}
	return l.flush()
}

// mark moves the marks and reports whether they changed.
func (l *commitLog) mark(m Marks, timers bool) bool {
	old := l.meta.marks
	if timers && m.Timers != 0 {
		l.meta.marks.Timers = m.Timers
	}
	if m.Clock != 0 {
		l.meta.marks.Clock = m.Clock
	}
	return l.meta.marks != old
}

// addBatch adds the chunks of b one by one and its rows all to one transaction.
func (l *commitLog) addBatch(b *Batch) error {
	if b.named == nil {
		return fmt.Errorf("output %v is committed a second time", b.Seq)
	}
	for i := range b.ahead.ops {
		if err := l.makeRoom(&b.ahead, b.ahead.ops[i:i+1]); err != nil {
			return err
		}
		key, _ := l.add(&b.ahead, b.ahead.ops[i])
		l.chunky[partitionOf(key)] = true
	}
	if err := l.makeRoom(b.named, b.named.ops); err != nil {
		return err
	}
	for i := range b.named.ops {
		key, err := l.add(b.named, b.named.ops[i])
		if err != nil {
			return fmt.Errorf("add row %s of output %v: %w", keyText(key), b.Seq, err)
		}
	}
	return nil
}

func partitionOf(key []byte) ident.Partition {
	return ident.Partition(key[0])<<8 | ident.Partition(key[1])
}

// makeRoom closes the open transaction when ops would not fit.
func (l *commitLog) makeRoom(s *section, ops []op) error {
	size, rows := 0, 0
	for _, o := range ops {
		a, b := cost(int(o.value-o.key), int(o.end-o.value), o.claims)
		size, rows = size+a, rows+b
	}
	if l.txn.size+size <= maxTxnBytes && l.txn.rows+rows <= maxTxnRows {
		return nil
	}
	if len(l.txn.entries) == 0 {
		return fmt.Errorf("%d bytes in %d rows do not fit a transaction: %w", size, rows, ErrTooLarge)
	}
	return l.flush()
}

func (l *commitLog) add(s *section, o op) ([]byte, error) {
	key, value := s.buf[o.key:o.value:o.value], s.buf[o.value:o.end:o.end]
	replaced, dropped := l.txn.add(key, value, o.claims)
	if !dropped {
		return key, nil
	}
	// The intent of the blobs stands: whoever would have removed it is gone.
	b, _, err := blobsOf(replaced.key, replaced.value)
	if err == nil {
		l.added = append(l.added, b.garbage())
	}
	return key, err
}

// settle adds what the entries entail: intents of blobs that are named now go,
// intents of blobs that lose their row come.
func (l *commitLog) settle() error {
	for i, n := 0, len(l.txn.entries); i < n; i++ {
		e := l.txn.entries[i]
		if e.claims&isOwner != 0 {
			b, _, err := blobsOf(e.key, e.value)
			if err != nil {
				return err
			}
			l.txn.add(b.appendIntentKey(nil), nil, isDelete)
		}
		if e.claims&needsOld == 0 || !l.chunky[partitionOf(e.key)] {
			continue
		}
		if err := l.dropOld(e.key); err != nil {
			return fmt.Errorf("drop chunks of row %s: %w", keyText(e.key), err)
		}
	}
	return nil
}

func (l *commitLog) dropOld(key []byte) error {
	old, err := l.engine.newest(key)
	if err != nil || old == nil {
		return err
	}
	b, found, err := blobsOf(key, old)
	if err != nil || !found {
		return err
	}
	intent := b.appendIntentKey(nil)
	l.txn.add(intent, b.appendIntentValue(nil, intent), 0)
	l.added = append(l.added, b.garbage())
	return nil
}

// flush writes the open transaction.
func (l *commitLog) flush() error {
	if err := l.settle(); err != nil {
		return err
	}
	if l.before != nil {
		if err := l.before(); err != nil {
			return err
		}
	}
	entries := l.txn.entries[:0]
	for _, e := range l.txn.entries {
		if !e.vanishes() {
			entries = append(entries, e)
		}
		if e.claims&isFresh == 0 {
			l.churn++
		}
	}
	l.meta.ts++
	entries = append(entries, entry{key: metaKey(), value: l.meta.encode()})
	if err := l.engine.write(l.meta.ts, entries); err != nil {
		return fmt.Errorf("write transaction %d: %w", l.meta.ts, err)
	}
	l.txn.reset()
	l.dropped, l.added = append(l.dropped, l.added...), l.added[:0]
	if l.after != nil {
		return l.after(l.meta.ts)
	}
	return nil
}

// addGarbage adds the removal of at most n chunk rows nobody names to the open
// transaction.
func (l *commitLog) addGarbage(n int) error {
	for len(l.dropped) > 0 && n > 0 && l.txn.rows < maxTxnRows-1 && l.txn.size < maxTxnBytes-intentReserve {
		g := l.dropped[0]
		found, room := 0, min(n, maxTxnRows-1-l.txn.rows, (maxTxnBytes-l.txn.size)/intentReserve)
		err := l.engine.scan(g.from, g.to, room, func(key, _ []byte) error {
			found++
			l.txn.add(append([]byte(nil), key...), nil, isDelete)
			return nil
		})
		if err != nil {
			return fmt.Errorf("look for dropped chunks: %w", err)
		}
		n -= found
		if found == room {
			g.from = append(l.txn.entries[len(l.txn.entries)-1].key, 0)
			l.dropped[0] = g
			return nil
		}
		l.txn.add(g.intent, nil, isDelete)
		l.dropped = l.dropped[1:]
	}
	return nil
}

// sweep removes every chunk that nobody names.
func (l *commitLog) sweep() error {
	for len(l.dropped) > 0 {
		if err := l.addGarbage(maxTxnRows); err != nil {
			return err
		}
		if err := l.flush(); err != nil {
			return err
		}
	}
	return nil
}

// tidy is sweep for an open store. It returns the churn since the last call.
func (l *commitLog) tidy() (churn int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return 0, l.failed
	}
	if err := l.sweep(); err != nil {
		l.fail(err)
		return 0, fmt.Errorf("remove dropped chunks: %w", err)
	}
	churn, l.churn = l.churn, 0
	return churn, nil
}
