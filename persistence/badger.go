package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// badgerStore is the store on disk.
type badgerStore struct {
	dir     string
	options Options
	owner   *owner
	db      *badger.DB
	engine  *badgerEngine
	counted counted // around engine
	log     commitLog
	snaps   snapshots
	health  health
	stall   *stall
	// toplevel is what the guard has counted.
	toplevel int
	// compactions is of the engine that is open.
	compactions *compactions
	// marker and nextLog belong to whoever holds log.mu.
	marker marker
	// nextLog is the path of the log file that the engine will begin next.
	nextLog string

	// life has everybody who uses db inside, so that Close waits for them.
	// closing makes reads under way fail.
	life    life
	closing atomic.Bool
	tidying sync.Mutex
	// backingUp is held while a backup is taken.
	backingUp sync.Mutex
}

// Info implements Store.
func (s *badgerStore) Info() Info { return s.log.info }

// Encode implements Store.
func (s *badgerStore) Encode(seq ident.Seq, writes []machine.Write) (*Batch, error) {
	return s.log.encodings.encode(seq, writes)
}

// Commit implements Store.
func (s *badgerStore) Commit(group []*Batch, marks Marks) error {
	if !s.life.enter() {
		return fmt.Errorf("commit: %w", ErrClosed)
	}
	defer s.life.leave()
	if err := s.log.commit(group, marks); err != nil {
		return fmt.Errorf("commit: %w", s.noteFailure(err))
	}
	return nil
}

// mayCommit refuses a transaction that would be somebody else's or the last
// one.
func (s *badgerStore) mayCommit() error {
	if err := s.owner.check(); err != nil {
		return err
	}
	if err := s.health.mayWrite(); err != nil {
		return err
	}
	return s.stall.err()
}

// committed publishes a durable timestamp, lets the engine discard what nobody
// reads, and follows the engine into its next log file.
func (s *badgerStore) committed(ts uint64) error {
	s.db.SetDiscardTs(s.snaps.advance(ts))
	if _, err := os.Stat(s.nextLog); err != nil {
		return nil
	}
	return s.noteLog()
}

// noteFailure leaves a note of a failed commit for the next opening, unless the
// directory belongs to somebody else now.
func (s *badgerStore) noteFailure(err error) error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.marker.CommitFailed || errors.Is(err, ErrDeposed) {
		return err
	}
	return errors.Join(err, s.marker.fail(s.dir))
}

// noteLog writes the marker for the engine's present log file.
func (s *badgerStore) noteLog() error {
	logs, err := (&guard{dir: s.dir}).logs()
	if err != nil {
		return err
	}
	if len(logs) == 0 {
		return fmt.Errorf("the engine has no log file: %w", ErrCorrupt)
	}
	s.marker.LogFile = logs[len(logs)-1]
	s.marker.LastCommit = s.engine.ts
	var number int
	if _, err := fmt.Sscanf(s.marker.LogFile, "%d"+logSuffix, &number); err != nil {
		return fmt.Errorf("name of log file %s: %w", s.marker.LogFile, err)
	}
	s.nextLog = filepath.Join(s.dir, fmt.Sprintf("%05d%s", number+1, logSuffix))
	return s.marker.write(s.dir)
}

// Read implements Store.
func (s *badgerStore) Read(fn func(Reader) error) error {
	if !s.life.enter() {
		return fmt.Errorf("read: %w", ErrClosed)
	}
	defer s.life.leave()
	if err := s.compactions.lost(); err != nil {
		return fmt.Errorf("read: %w: %w", err, ErrClosed)
	}
	snap := s.snaps.acquire()
	defer s.snaps.release(snap)
	txn := s.db.NewTransactionAt(snap.ts, false)
	defer txn.Discard()
	r := &reader{view: &badgerView{txn: txn, snap: snap, closed: &s.closing}}
	defer r.close()
	err := fn(r)
	if lost := s.compactions.lost(); lost != nil { // what was not found may be there
		return fmt.Errorf("read: %w: %w", lost, ErrClosed)
	}
	return err
}

// Health implements Store.
func (s *badgerStore) Health() Health {
	if err := s.compactions.lost(); err != nil {
		reading := lostHealth(err)
		reading.At = s.options.Now()
		return reading
	}
	return s.health.read()
}

// DiskBytes returns about how many bytes of the directory the engine uses: its
// tables, and its log. The figures are up to a minute old.
func (s *badgerStore) DiskBytes() (tables, log int64) {
	if !s.life.enter() {
		return 0, 0
	}
	defer s.life.leave()
	return s.db.Size()
}

// tidyChurn is how many rows must have been removed or overwritten before it
// pays to compact.
const tidyChurn = 10_000

// Tidy implements Store.
func (s *badgerStore) Tidy() error {
	if !s.life.enter() {
		return fmt.Errorf("tidy: %w", ErrClosed)
	}
	defer s.life.leave()
	s.tidying.Lock()
	defer s.tidying.Unlock()
	churn, err := s.log.tidy()
	if err != nil {
		return fmt.Errorf("tidy: %w", s.noteFailure(err))
	}
	if churn >= tidyChurn {
		err = s.compact()
	}
	if err = errors.Join(err, s.health.restoreBallast()); err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}

// compact rewrites the tables, if the directory is still the one they are in.
func (s *badgerStore) compact() error {
	s.log.mu.Lock()
	err := s.owner.check()
	s.log.mu.Unlock()
	if err != nil {
		return err
	}
	return s.db.Flatten(1)
}
