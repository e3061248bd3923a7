package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// compactions watches the engine while it replaces tables by new ones.
//
// The engine drops the error of a table that a compaction cannot create or sync
// (v4.9.6, levels.go, subcompact: the argument of a deferred call is evaluated when it
// is still nil). It goes on without that table, and deletes those from which it was
// made: what they held is gone, without a word. Whether a table can be created is not
// known before, so the tables that are replaced are kept until the new ones have been
// counted:
//
//	it has the keys of a table  → a reference to all tables is taken: none is deleted
//	…                             the tables are created, and named in the manifest
//	it is done                  → the manifest has to name as many; the reference is given back
//
// If it names fewer, the reference stays for good, and the store ends as after a failed
// commit. The next opening finds a compaction whose old tables are all there, and takes
// it back (undo.go); so it does when the process was killed in between.
//
// One compaction happens at a time, or their tables could not be told apart. The engine
// says both moments in its log, where the compaction stands still meanwhile. A test
// holds that it still does.
type compactions struct {
	dir   string
	stall *stall
	log   *slog.Logger
	// ready is closed when db is set.
	ready chan struct{}
	db    *badger.DB

	mu sync.Mutex
	// closing says that the engine is being closed: it has no memtable then, and no
	// iterator can be opened. All tables are kept until that is over.
	closing bool
	// over is when current is nil again.
	over    *sync.Cond
	current *compaction
	// counted says how many there were.
	counted int
	// broken says that one has lost a table.
	broken atomic.Bool
}

// compaction is one of them.
type compaction struct {
	// id is that of the goroutine of the engine.
	id int
	// tables counts those that it has had the keys for.
	tables int
	// manifest is the file as it was at the beginning.
	manifest os.FileInfo
	before   map[uint64]bool
	release  func()
}

// What the engine logs then, with the number of its goroutine first.
const (
	logKeysOfTable      = "[%d] LOG Compact. Added %d keys. Skipped %d keys. Iteration took: %v"
	logCompactionDone   = "[Compactor: %d] Compaction for level: %d DONE"
	logCompactionFailed = "[Compactor: %d] LOG Compact FAILED with error: %+v: %+v"
)

// openingPatience is how long a compaction waits for an opening that is under way,
// which may itself wait for one.
const openingPatience = 5 * time.Second

func newCompactions(dir string, stall *stall, log *slog.Logger) *compactions {
	c := &compactions{dir: dir, stall: stall, log: log, ready: make(chan struct{})}
	c.over = sync.NewCond(&c.mu)
	return c
}

// opened says which engine it is.
func (c *compactions) opened(db *badger.DB) {
	c.db = db
	close(c.ready)
}

// close keeps all tables while the engine is closed, with fn. Those that it then flushes
// itself are not among them.
func (c *compactions) close(fn func() error) error {
	c.mu.Lock()
	c.closing = true
	release := pin(c.db)
	c.mu.Unlock()
	if err := errors.Join(fn(), c.lost()); err != nil {
		return err
	}
	release()
	return nil
}

// note looks at a line that the engine logs.
func (c *compactions) note(format string, args []any) {
	switch {
	case c == nil || len(args) == 0:
	case format == logKeysOfTable:
		c.keysOfTable(args[0].(int), args[1].(uint64))
	case format == logCompactionDone:
		c.ended(args[0].(int), true)
	case format == logCompactionFailed:
		c.ended(args[0].(int), false)
	}
}

// lost is an error when a table was lost: what is read then may be missing, though it is
// there. It may be called concurrently, and often.
func (c *compactions) lost() error {
	if !c.broken.Load() {
		return nil
	}
	return c.stall.err()
}

func (c *compactions) keysOfTable(id int, keys uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.current != nil && c.current.id != id {
		c.over.Wait()
	}
	if c.current == nil {
		c.current = c.begin(id)
	}
	if keys > 0 {
		c.current.tables++
	}
}

// begin keeps the tables that are there.
func (c *compactions) begin(id int) *compaction {
	now := &compaction{id: id, release: func() {}}
	now.manifest, _ = os.Stat(filepath.Join(c.dir, manifestFile)) // nil is judged like one that was rewritten
	select {
	case <-c.ready:
	case <-time.After(openingPatience):
		return now // without a reference: what it loses is found, and cannot be taken back
	}
	if !c.closing {
		now.release = pin(c.db)
	}
	now.before = map[uint64]bool{}
	for _, t := range c.db.Tables() {
		now.before[t.ID] = true
	}
	return now
}

// pin keeps the files of all tables until it is released.
func pin(db *badger.DB) (release func()) {
	txn := db.NewTransactionAt(math.MaxUint64, false)
	it := txn.NewIterator(badger.IteratorOptions{AllVersions: true})
	return func() {
		it.Close()
		txn.Discard()
	}
}

// ended judges a compaction. One that has failed has replaced nothing.
func (c *compactions) ended(id int, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || c.current.id != id {
		return // it had no keys
	}
	now := c.current
	c.current = nil
	defer c.over.Broadcast()
	c.counted++
	if done {
		if err := c.judge(now); err != nil {
			c.stall.fail(err.Error())
			c.broken.Store(true)
			c.log.Error("a compaction has lost a table; the old ones are kept, and the next start takes it back", "dir", c.dir, "error", err)
		}
	}
	if !c.broken.Load() {
		now.release()
	}
}

// judge counts the tables that a compaction has made.
func (c *compactions) judge(now *compaction) error {
	path := filepath.Join(c.dir, manifestFile)
	created := 0
	if info, err := os.Stat(path); err != nil {
		return fmt.Errorf("count the tables of a compaction: %w", err)
	} else if now.manifest != nil && os.SameFile(info, now.manifest) {
		log, err := readManifestLog(path, now.manifest.Size())
		if err != nil {
			return fmt.Errorf("count the tables of a compaction: %w", err)
		}
		for _, set := range log.sets {
			if replaces(set) {
				created += len(set.Changes) - countDeletes(set)
			}
		}
	} else if now.before != nil { // it was written anew; flushes may have made tables, too
		for _, t := range c.db.Tables() {
			if !now.before[t.ID] {
				created++
			}
		}
		created = min(created, now.tables)
	} else {
		return nil
	}
	if created != now.tables {
		return fmt.Errorf("a compaction has made %d tables of %d", created, now.tables)
	}
	return nil
}
