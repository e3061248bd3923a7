package persistence

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Open opens the store in dir, which it makes when needed. It reads and checks
// what is there before anything is changed; errors wrap ErrInUse, ErrFormat,
// ErrCorrupt or ErrNoSpace where they fit.
func Open(dir string, o Options) (Store, error) {
	if err := notForeign(dir); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return openAs(dir, o, checkFormat)
}

// openAs opens a store in a directory that format has looked at, and made its marker when
// it is new.
func openAs(dir string, o Options, format func(dir string) error) (Store, error) {
	o = o.withDefaults()
	owner, err := acquire(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s := &badgerStore{dir: dir, options: o, owner: owner, stall: newStall()}
	s.health = health{dir: dir, options: &s.options, standing: owner.standing}
	s.snaps = snapshots{maxAge: o.MaxSnapshotAge, now: o.Now}
	if err := s.open(format); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.abandon())
	}
	return s, nil
}

// abandon gives up after a failed Open.
func (s *badgerStore) abandon() error {
	var err error
	if s.db != nil {
		err = s.closeEngine(s.db)
	}
	return errors.Join(err, s.owner.release())
}

func (s *badgerStore) open(format func(dir string) error) (err error) {
	if err := format(s.dir); err != nil {
		return err
	}
	if err := s.health.openingRoom(); err != nil {
		return err
	}
	if s.marker, err = readMarker(s.dir); err != nil {
		return err
	}
	g := guard{dir: s.dir, marker: s.marker}
	if err := s.takeBack(); err != nil {
		return err
	}
	last, err := g.inspect()
	if err != nil {
		return err
	}
	if room, err := s.options.Probe(s.dir); err == nil { // what cannot be measured does not keep it shut
		if err := room.holds(g.files); err != nil {
			return err
		}
	}
	if len(g.torn) > 0 {
		s.options.Logger.Info("dropped a transaction that a crash has cut short, of which nobody was told", "dir", s.dir, "files", g.torn)
	}
	if len(g.flushed) > 0 {
		s.options.Logger.Info("removed logs of which everything is in tables", "dir", s.dir, "files", g.flushed)
	}
	s.toplevel = g.toplevel
	state := s.marker.State
	if state != markerNew {
		s.marker.State, s.marker.LastCommit = markerOpen, last
		if err := s.marker.write(s.dir); err != nil {
			return err
		}
	}
	if err := s.openEngine(); err != nil {
		return err
	}
	found := s.db.MaxVersion()
	if found != last && state != markerNew {
		return fmt.Errorf("the engine found transactions up to %d, and its files hold %d: %w", found, last, ErrCorrupt)
	}
	if err := s.start(found, state != markerOpen); err != nil {
		return err
	}
	return s.health.restoreBallast()
}

// takeBack undoes compactions that nobody has judged.
func (s *badgerStore) takeBack() error {
	if s.marker.State != markerOpen {
		return nil
	}
	u, err := findUndo(s.dir)
	if err != nil || len(u.sets) == 0 {
		return err
	}
	s.options.Logger.Info("took compactions back that the last process did not finish", "dir", s.dir, "compactions", len(u.sets))
	return u.apply(filepath.Join(s.dir, manifestFile))
}

// openEngine opens the engine, and after a failed commit opens it, closes it
// and opens it again: closing rewrites what was replayed from log files, of
// which the system may believe that it is on disk, as tables that are synced.
func (s *badgerStore) openEngine() (err error) {
	if s.db, err = s.openTwice(); err != nil || !s.marker.CommitFailed {
		return err
	}
	db := s.db
	s.db = nil
	if err := s.closeEngine(db); err != nil {
		return fmt.Errorf("rewrite logs after a failed commit: %w", err)
	}
	s.options.Logger.Warn("rewrote the logs, because a commit had failed", "dir", s.dir)
	s.db, err = s.openTwice()
	return err
}

// openTwice tries again once: the engine removes some leftovers of a kill while
// it fails on them.
func (s *badgerStore) openTwice() (*badger.DB, error) {
	db, err := s.openWatched()
	if err != nil {
		s.options.Logger.Warn("the engine did not open, trying once more", "dir", s.dir, "error", err)
		db, err = s.openWatched()
	}
	if err != nil {
		return nil, blame(err)
	}
	return db, nil
}

// openWatched opens the engine, whose compactions are watched.
func (s *badgerStore) openWatched() (*badger.DB, error) {
	s.compactions = newCompactions(s.dir, s.stall, s.options.Logger)
	db, err := openBadger(s.engineOptions())
	if err == nil {
		s.compactions.opened(db)
	}
	return db, err
}

// blame tells damage from trouble with the operating system, of which the
// engine passes on the text only.
func blame(err error) error {
	if strings.Contains(err.Error(), syscall.EAGAIN.Error()) { // the lock of the engine
		return fmt.Errorf("open the engine: %w: %w", err, ErrInUse)
	}
	for _, cause := range []syscall.Errno{syscall.EIO, syscall.EISDIR, syscall.ENOTDIR, syscall.EEXIST, syscall.ENOSPC, syscall.EROFS} {
		if unable(err) || strings.Contains(err.Error(), cause.Error()) {
			return fmt.Errorf("open the engine: %w", err)
		}
	}
	return fmt.Errorf("open the engine: %w: %w", err, ErrCorrupt)
}

// openBadger turns panics of the engine into errors.
func openBadger(o badger.Options) (db *badger.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the engine panicked: %.200v", r)
		}
	}()
	return badger.OpenManaged(o)
}

const (
	memTableBytes = 16 << 20
	// tableRoom is what the table of a full memtable may take, with its index.
	tableRoom = memTableBytes * 5 / 4
)

// engineOptions is the envelope in which the engine keeps what it acknowledges.
// Each line that is not a size prevents a loss that was seen without it.
func (s *badgerStore) engineOptions() badger.Options {
	o := badger.DefaultOptions(s.dir)
	o.Logger = engineLogger{s.options.Logger, s.stall, s.compactions}
	o.ExternalMagicVersion = formatVersion
	o.SyncWrites = true
	// A failed read of the value log is an empty value without an error. All
	// our values are smaller, so nothing ever goes there.
	o.ValueThreshold = MaxBatchBytes
	o.ValueLogFileSize = 16 << 20
	// The guard has checked every block of every table. The other modes do it
	// again and leave all of it in memory, hide a damaged block, or panic over it.
	o.ChecksumVerificationMode = options.NoVerification
	o.DetectConflicts = false
	o.MetricsEnabled = false
	o.Compression = options.None
	// Blocks that are not compressed lie in the mapped tables: there is nothing
	// to keep of them.
	o.BlockCacheSize = 0
	o.MemTableSize = memTableBytes
	o.NumMemtables = 3
	o.NumLevelZeroTables = 4
	// A flush waits for a compaction when there are more. An opening that flushes many logs
	// must not: a compaction waits for the end of the opening (compaction.go).
	o.NumLevelZeroTablesStall = max(12, s.toplevel+4)
	o.BaseTableSize = 4 << 20
	// Keys are spread over all partitions, so every compaction into a level
	// rewrites all of it. With less (10 MiB), what is written goes through a level
	// more, and compactions took half of the processor while much was stored.
	o.BaseLevelSize = 64 << 20
	o.NumCompactors = 2
	return o
}

// start raises the boot counter and notes that the store is open. last is the
// last transaction found, clean says how the previous opening ended.
func (s *badgerStore) start(last uint64, clean bool) error {
	s.engine = &badgerEngine{db: s.db, stall: s.stall, ts: last}
	s.counted.engine, s.counted.syncs = s.engine, badgerSyncs
	s.log.engine, s.log.before, s.log.after = &s.counted, s.mayCommit, s.committed
	if err := s.log.load(); err != nil {
		return err
	}
	if own := s.log.meta.ts; own != last {
		return fmt.Errorf("the meta row is of transaction %d, and the last one found is %d: %w", own, last, ErrCorrupt)
	}
	if err := s.log.start(clean); err != nil {
		return err
	}
	s.marker.State = markerOpen
	if err := s.marker.recovered(s.dir); err != nil {
		return err
	}
	if err := s.noteLog(); err != nil {
		return err
	}
	s.options.Logger.Info("store open", "dir", s.dir, "boot", s.log.info.Boot, "clean", clean, "transactions", last)
	return nil
}
