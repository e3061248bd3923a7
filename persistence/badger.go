package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

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

// Open opens the store in dir, which it makes when needed. It reads and checks
// what is there before anything is changed; errors wrap ErrInUse, ErrFormat,
// ErrCorrupt or ErrNoSpace where they fit.
func Open(dir string, o Options) (Store, error) {
	o = o.withDefaults()
	owner, err := acquire(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s := &badgerStore{dir: dir, options: o, owner: owner, stall: newStall()}
	s.health = health{dir: dir, options: &s.options}
	s.snaps = snapshots{maxAge: o.MaxSnapshotAge, now: o.Now}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.abandon())
	}
	return s, nil
}

// abandon gives up after a failed Open.
func (s *badgerStore) abandon() error {
	var err error
	if s.db != nil {
		err = s.stall.close(s.db)
	}
	return errors.Join(err, s.owner.release())
}

func (s *badgerStore) open() (err error) {
	if err := checkFormat(s.dir); err != nil {
		return err
	}
	if err := s.health.openingRoom(); err != nil {
		return err
	}
	if s.marker, err = readMarker(s.dir); err != nil {
		return err
	}
	g := guard{dir: s.dir, marker: s.marker}
	last, err := g.inspect()
	if err != nil {
		return err
	}
	if len(g.torn) > 0 {
		s.options.Logger.Info("dropped a transaction that a crash has cut short, of which nobody was told", "dir", s.dir, "files", g.torn)
	}
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

// openEngine opens the engine, and after a failed commit opens it, closes it
// and opens it again: closing rewrites what was replayed from log files, of
// which the system may believe that it is on disk, as tables that are synced.
func (s *badgerStore) openEngine() (err error) {
	if s.db, err = s.openTwice(); err != nil || !s.marker.CommitFailed {
		return err
	}
	db := s.db
	s.db = nil
	if err := s.stall.close(db); err != nil {
		return fmt.Errorf("rewrite logs after a failed commit: %w", err)
	}
	s.options.Logger.Warn("rewrote the logs, because a commit had failed", "dir", s.dir)
	s.db, err = s.openTwice()
	return err
}

// openTwice tries again once: the engine removes some leftovers of a kill while
// it fails on them.
func (s *badgerStore) openTwice() (*badger.DB, error) {
	db, err := openBadger(s.engineOptions())
	if err != nil {
		s.options.Logger.Warn("the engine did not open, trying once more", "dir", s.dir, "error", err)
		db, err = openBadger(s.engineOptions())
	}
	if err != nil {
		return nil, blame(err)
	}
	return db, nil
}

// blame tells damage from trouble with the operating system, of which the
// engine passes on the text only.
func blame(err error) error {
	for _, cause := range []syscall.Errno{syscall.EACCES, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC, syscall.EROFS} {
		if strings.Contains(err.Error(), cause.Error()) {
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
	o.Logger = engineLogger{s.options.Logger, s.stall}
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
	o.NumLevelZeroTablesStall = 12
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
	if err := s.health.mayWrite(); err != nil {
		return err
	}
	if err := s.stall.err(); err != nil {
		return err
	}
	return s.owner.check()
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
	snap := s.snaps.acquire()
	defer s.snaps.release(snap)
	txn := s.db.NewTransactionAt(snap.ts, false)
	defer txn.Discard()
	r := &reader{view: &badgerView{txn: txn, snap: snap, closed: &s.closing}}
	defer r.close()
	return fn(r)
}

// Health implements Store.
func (s *badgerStore) Health() Health { return s.health.read() }

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
		err = s.db.Flatten(1)
	}
	if err = errors.Join(err, s.health.restoreBallast()); err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}

// Close implements Store. It waits for a commit and for reads under way, which
// fail soon with ErrClosed. It must not be called inside of a Read.
func (s *badgerStore) Close() error {
	s.closing.Store(true)
	if !s.life.end() {
		return nil
	}
	healthy := s.log.close()
	err := s.roomToClose()
	if err == nil {
		err = s.stall.close(s.db)
	}
	if err == nil && healthy {
		err = s.noteClean()
	}
	if err = errors.Join(err, s.owner.release()); err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	return nil
}

// roomToClose is an error when the disk is so full that the engine must not be closed.
// It writes what it has in memory as tables then, a table for each log, through maps:
// without space that would end the process at once. Nobody else can open the directory
// until this process has ended.
func (s *badgerStore) roomToClose() error {
	reading, err := s.health.makeRoom("close")
	if err != nil {
		s.options.Logger.Error("the ballast file cannot be dropped", "dir", s.dir, "error", err)
	}
	if reading.Pressure != PressureHard {
		return nil
	}
	logs, err := (&guard{dir: s.dir}).logs()
	if err != nil {
		return err
	}
	if need := uint64(len(logs)) * tableRoom; reading.Room.Bytes < need {
		return fmt.Errorf("the engine is not closed, which takes %d bytes: %s: %w", need, reading.Reason, ErrNoSpace)
	}
	return nil
}

// noteClean writes the marker after a clean close.
func (s *badgerStore) noteClean() error {
	logs, err := (&guard{dir: s.dir}).logs()
	if err != nil {
		return err
	}
	m := marker{State: markerClean, LastCommit: s.engine.ts, LogFile: s.marker.LogFile, LogFiles: len(logs)}
	if m.ManifestSize, m.ManifestCRC, err = manifestSum(s.dir); err != nil {
		return err
	}
	return m.write(s.dir)
}
