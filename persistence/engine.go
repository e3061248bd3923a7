package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
)

// badgerEngine is the engine of the store on disk. It has one caller at a time;
// ts is the timestamp of its last transaction.
type badgerEngine struct {
	db    *badger.DB
	stall *stall
	ts    uint64
	// list is the memory of write. Badger reads and changes it until the
	// transaction is done.
	list []badger.Entry
}

// maxListRows bounds what is kept of list, about 100 bytes a row.
const maxListRows = 8192

// write commits one engine transaction. Badger syncs every transaction by
// itself, which is why a group is one. While it cannot write a table, a commit may wait
// for it for ever; then its outcome is unknown, and what it reads is not used again.
func (e *badgerEngine) write(ts uint64, entries []entry) error {
	txn := e.db.NewTransactionAt(e.ts, true)
	defer txn.Discard()
	e.list = slices.Grow(e.list[:0], len(entries)) // before any address is taken
	for i := range entries {
		var err error
		if entries[i].value == nil {
			err = txn.Delete(entries[i].key)
		} else {
			e.list = append(e.list, badger.Entry{Key: entries[i].key, Value: entries[i].value})
			err = txn.SetEntry(&e.list[len(e.list)-1])
		}
		if err != nil {
			return fmt.Errorf("row %d of %d: %w", i, len(entries), err)
		}
	}
	done := make(chan error, 1)
	if err := txn.CommitAt(ts, func(err error) { done <- err }); err != nil {
		return err
	}
	select {
	case err := <-done:
		if err != nil {
			return err
		}
	case <-e.stall.first:
		return e.stall.err()
	}
	e.ts = ts
	clear(e.list)
	if cap(e.list) > maxListRows {
		e.list = nil
	}
	return nil
}

func (e *badgerEngine) newest(key []byte) ([]byte, error) {
	v, done := e.view()
	defer done()
	return v.get(key)
}

func (e *badgerEngine) scan(from, to []byte, limit int, fn func(key, value []byte) error) error {
	v, done := e.view()
	defer done()
	return v.scan(from, to, limit, fn)
}

func (e *badgerEngine) view() (*badgerView, func()) {
	txn := e.db.NewTransactionAt(e.ts, false)
	return &badgerView{txn: txn}, txn.Discard
}

// badgerView reads at one timestamp.
type badgerView struct {
	txn *badger.Txn
	// snap and closed are nil inside the store, where nothing can be discarded
	// or closed meanwhile.
	snap   *snapshot
	closed *atomic.Bool
}

// check runs after a read: what was read is right if the snapshot still stood
// when the read was over.
func (v *badgerView) check() error {
	switch {
	case v.closed != nil && v.closed.Load():
		return ErrClosed
	case v.snap != nil && v.snap.expired.Load():
		return ErrSnapshotExpired
	default:
		return nil
	}
}

func (v *badgerView) get(key []byte) ([]byte, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	item, err := v.txn.Get(key)
	absent := errors.Is(err, badger.ErrKeyNotFound)
	if err != nil && !absent {
		return nil, err
	}
	var value []byte
	if !absent {
		if value, err = item.ValueCopy(nil); err != nil {
			return nil, err
		}
	}
	return value, v.check()
}

func (v *badgerView) scan(from, to []byte, limit int, fn func(key, value []byte) error) error {
	if err := v.check(); err != nil {
		return err
	}
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: commonPrefix(from, to)})
	defer it.Close()
	for it.Seek(from); limit > 0 && it.Valid(); it.Next() {
		item := it.Item()
		if bytes.Compare(item.Key(), to) >= 0 {
			break
		}
		if err := v.check(); err != nil {
			return err
		}
		if err := item.Value(func(value []byte) error { return fn(item.Key(), value) }); err != nil {
			return err
		}
		limit--
	}
	return v.check()
}

func (v *badgerView) first(from, to []byte) (key []byte, err error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: commonPrefix(from, to)})
	defer it.Close()
	if it.Seek(from); it.Valid() && bytes.Compare(it.Item().Key(), to) < 0 {
		key = it.Item().KeyCopy(nil)
	}
	return key, v.check()
}

func commonPrefix(a, b []byte) []byte {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// engineLogger hands the engine's log lines to slog. What it calls information
// is of interest to nobody but a debugger.
type engineLogger struct {
	log         *slog.Logger
	stall       *stall
	compactions *compactions
}

// Errorf hands on what the engine cannot do.
func (l engineLogger) Errorf(format string, args ...any) {
	text := line(format, args)
	l.log.Error(text)
	l.stall.note(text)
}

// Warningf hands on what the engine can live with.
func (l engineLogger) Warningf(format string, args ...any) {
	l.compactions.note(format, args)
	l.log.Warn(line(format, args))
}

// Infof hands on what the engine does.
func (l engineLogger) Infof(format string, args ...any) { l.log.Debug(line(format, args)) }

// Debugf drops the lines of the hot path.
func (l engineLogger) Debugf(format string, args ...any) { l.compactions.note(format, args) }

func line(format string, args []any) string {
	return "engine: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
