package persistence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
	"golang.org/x/sys/unix"
)

// Examination is what Examine has found in the files of a directory.
type Examination struct {
	// Damage are the files that are not as they were written, in the order in
	// which they were looked at. It is empty when the directory is good.
	Damage []FileDamage
	// Files counts those that were looked at: FORMAT, MARKER, and what the engine
	// stores in. Transactions is the number of the last transaction that was found.
	Files        int
	Transactions uint64
	// Clean says that the last process has closed the store.
	Clean bool
	// Unread is why the rows could not be read, nil when they were.
	Unread error
}

// FileDamage is one file, by its name in the directory, and what is wrong with it.
type FileDamage struct {
	File string
	Err  error
}

// Examiner is told what Examine finds. Its zero value looks at the files only.
type Examiner struct {
	// Damaged is called for each damaged file, as soon as it is known. It may be
	// nil.
	Damaged func(FileDamage)
	// Rows is called once with the rows of what was durable. It may be nil. It is
	// not called when the engine cannot read the files; Unread says why.
	Rows func(Reader) error
	// Done ends the examination when it is closed, soon, with an error that wraps
	// context.Canceled. Nil never does.
	Done <-chan struct{}
	// Logger gets what the engine has to say. Nil drops it.
	Logger *slog.Logger
}

// Examine looks at the directory of a store that nobody has open, without changing
// anything in it: at all of its files first, and then at the rows. It goes on
// behind damage as far as it can.
//
// The engine has to write into the directory it opens. So it is given another one,
// a temporary one that is removed at the end: with links to the tables, which it
// opens for reading only, and copies of everything else, the logs without what
// was never committed.
//
// The error says that nothing could be told. It wraps ErrInUse, ErrFormat or
// fs.ErrNotExist where they fit, or is that of Rows.
func Examine(dir string, told Examiner) (*Examination, error) {
	if told.Logger == nil {
		told.Logger = slog.New(slog.DiscardHandler)
	}
	e := &examination{dir: dir, told: told}
	if err := e.run(); err != nil {
		return nil, fmt.Errorf("examine store %s: %w", dir, err)
	}
	return &e.found, nil
}

// examination is one run of Examine.
type examination struct {
	dir   string
	told  Examiner
	guard guard
	found Examination
	// logs are the log files, with the offset behind their last transaction.
	logs map[string]int
	// tables are the files that the manifest names, when undo has been applied to it.
	tables []string
	undo   *undo
	// cannot is why something could not be looked at.
	cannot error
	// readable says that there is something that an engine can open.
	readable bool
}

func (e *examination) run() error {
	unlocked, err := e.lock()
	if err != nil {
		return err
	}
	defer unlocked()
	if err := knownFormat(e.dir); err != nil {
		return err
	}
	e.files()
	if e.cannot != nil || !e.readable || e.told.Rows == nil {
		return e.cannot
	}
	if err := e.stopped(); err != nil {
		return err
	}
	return errors.Join(e.rows(), e.cannot)
}

// lock keeps everybody away who does more than look, without leaving a trace.
func (e *examination) lock() (unlocked func(), err error) {
	engine, err := lockEngine(e.dir, unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(e.dir, ownerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return func() { _ = unlock(engine) }, nil
	}
	if err == nil {
		err = lockFor(f, unix.LOCK_SH, func() string { return holder(f) })
	}
	if err != nil {
		_ = f.Close() // it was read only, or not opened
		return nil, errors.Join(err, unlock(engine))
	}
	return func() { _, _ = unlock(f), unlock(engine) }, nil
}

// stopped is an error when nobody wants to know any more.
func (e *examination) stopped() error {
	select {
	case <-e.told.Done:
		return context.Canceled
	default:
		return nil
	}
}

// damage notes what is wrong with a file, or that nothing can be told of it.
func (e *examination) damage(file string, err error) {
	if unable(err) {
		if e.cannot == nil {
			e.cannot = fmt.Errorf("%s: %w", file, err)
		}
		return
	}
	d := FileDamage{File: file, Err: err}
	e.found.Damage = append(e.found.Damage, d)
	if e.told.Damaged != nil {
		e.told.Damaged(d)
	}
}

// files looks at every file.
func (e *examination) files() {
	var err error
	e.guard.dir = e.dir
	e.found.Files += 2 // FORMAT was
	if e.guard.marker, err = readMarker(e.dir); err != nil {
		e.damage(markerFile, err)
		e.guard.marker = marker{State: markerOpen}
	}
	e.found.Clean = e.guard.marker.State != markerOpen
	e.others()
	if e.guard.marker.State == markerNew {
		return // the engine has never been opened
	}
	last, ok := e.tableFiles()
	if e.readable = ok; !ok {
		e.found.Unread = errors.New("the engine does not open damaged tables")
	}
	e.logFiles(last)
}

// others looks at the files that hold nothing of ours.
func (e *examination) others() {
	wrong, files := e.guard.others()
	e.found.Files += files
	for _, d := range wrong {
		e.damage(d.File, d.Err)
	}
}

// tableFiles looks at the manifest and its tables, and returns the last transaction
// in them, and whether the engine can open them. In a damaged one it may panic on a
// goroutine of its own, which nobody can recover.
func (e *examination) tableFiles() (last uint64, ok bool) {
	e.found.Files++
	tables, err := e.guard.manifest()
	if err != nil {
		e.damage(manifestFile, err)
		return 0, false
	}
	if e.guard.marker.State == markerOpen {
		if e.undo, err = findUndo(e.dir); err != nil {
			e.damage(manifestFile, err)
			return 0, false
		}
		e.undo.tables(tables)
	}
	ok = true
	for _, id := range slices.Sorted(maps.Keys(tables)) {
		if err := e.stopped(); err != nil {
			e.cannot = cmp.Or(e.cannot, err)
			return 0, false
		}
		e.found.Files++
		path := table.NewFilename(id, e.dir)
		e.tables = append(e.tables, filepath.Base(path))
		version, err := inspectTable(path, tables[id])
		if err != nil {
			e.damage(filepath.Base(path), err)
			ok = false
		}
		last = max(last, version)
	}
	return last, ok
}

// logFiles looks at the log files. Behind one that is damaged nothing is known of
// what should follow, so that is not asked any more.
func (e *examination) logFiles(last uint64) {
	e.logs = map[string]int{}
	logs, err := e.guard.logs()
	if err != nil {
		e.damage("*"+logSuffix, err)
		return
	}
	m, sure, tables := &e.guard.marker, len(e.found.Damage) == 0 && e.cannot == nil, last
	if m.State == markerClean && len(logs) != m.LogFiles {
		e.damage("*"+logSuffix, fmt.Errorf("there are %d log files where a clean close left %d: %w", len(logs), m.LogFiles, ErrCorrupt))
		sure = false
	}
	for _, name := range logs {
		switch info, err := os.Stat(filepath.Join(e.dir, name)); {
		case err == nil && info.Size() == 0:
			continue // a kill leaves such a file
		case err == nil && !info.Mode().IsRegular(), e.damaged(name):
			continue // that was told
		}
		e.found.Files++
		span, err := e.guard.spanOf(name, last)
		if err == nil && sure && span.first > last+1 {
			err = fmt.Errorf("it %w", gap(span, last))
		}
		if err != nil {
			e.damage(name, err)
			sure = false
		}
		if span.last > 0 && !e.guard.isFlushed(span, tables) {
			e.logs[name] = span.end
		}
		last = max(last, span.last)
	}
	e.found.Transactions = last
	if sure && (last < m.LastCommit || m.State == markerClean && last != m.LastCommit) {
		e.damage(m.LogFile, fmt.Errorf("the last transaction found is %d, and %d was durable in this file, which is missing or cut: %w", last, m.LastCommit, ErrCorrupt))
	}
}

// rows opens the engine on another directory and hands its rows over.
func (e *examination) rows() error {
	if room, err := probe(e.dir); err == nil {
		if err := room.holds(len(e.tables) + len(e.logs)); err != nil {
			return err
		}
	}
	temp, err := os.MkdirTemp("", "dormouse-examine-")
	if err != nil {
		return fmt.Errorf("the directory for temporary files, which TMPDIR names, is %s: %w", os.TempDir(), err)
	}
	defer os.RemoveAll(temp)
	if err := e.stage(temp); err != nil {
		return err
	}
	o := (&badgerStore{dir: temp, options: Options{Logger: e.told.Logger}}).engineOptions()
	o.ReadOnly = true
	db, err := openBadger(o)
	if err != nil && unable(err) {
		return fmt.Errorf("open the engine: %w", err)
	}
	if err != nil {
		e.found.Unread = fmt.Errorf("the engine does not open what is left: %w", err)
		return nil
	}
	err = e.read(db)
	err = errors.Join(err, db.Close())
	return cmp.Or(e.stopped(), err)
}

// stage fills the directory that the engine opens.
func (e *examination) stage(temp string) error {
	from, err := filepath.Abs(e.dir)
	if err != nil {
		return err
	}
	for _, name := range e.tables {
		if err := os.Symlink(filepath.Join(from, name), filepath.Join(temp, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{manifestFile, badger.KeyRegistryFileName} {
		if e.damaged(name) {
			continue
		}
		err := copyPrefix(filepath.Join(from, name), filepath.Join(temp, name), math.MaxInt64)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if e.undo != nil {
		if err := e.undo.apply(filepath.Join(temp, manifestFile)); err != nil {
			return err
		}
	}
	for name, end := range e.logs {
		if err := copyPrefix(filepath.Join(from, name), filepath.Join(temp, name), int64(end)); err != nil {
			return err
		}
	}
	return nil
}

func (e *examination) damaged(name string) bool {
	return slices.ContainsFunc(e.found.Damage, func(d FileDamage) bool { return d.File == name })
}

// copyPrefix copies the first n bytes of a file.
func copyPrefix(from, to string, n int64) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, n))
	return errors.Join(err, out.Close())
}

// read compares what the engine has found with its files, and hands its rows over.
// In a damaged table the engine may find no end of the file, or of its patience.
func (e *examination) read(db *badger.DB) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if len(e.found.Damage) > 0 {
		defer func() {
			if r := recover(); r != nil {
				e.found.Unread, err = fmt.Errorf("a damaged file ended the reading of rows: %.200v", r), nil
			}
		}()
	}
	ts := db.MaxVersion()
	txn := db.NewTransactionAt(ts, false)
	defer txn.Discard()
	closed, over := new(atomic.Bool), make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-e.told.Done:
			closed.Store(true)
		case <-over:
		}
	}()
	r := &reader{view: &badgerView{txn: txn, snap: &snapshot{ts: ts}, closed: closed}}
	defer r.close()
	if len(e.found.Damage) == 0 {
		e.agree(r, ts)
	}
	return e.told.Rows(r)
}

// agree compares the numbers of the last transaction.
func (e *examination) agree(r *reader, found uint64) {
	if found != e.found.Transactions {
		e.damage(manifestFile, fmt.Errorf("the engine finds transactions up to %d, and the files hold %d: %w", found, e.found.Transactions, ErrCorrupt))
	}
	value, err := r.view.get(metaKey())
	m := meta{}
	if err == nil && value != nil {
		m, err = decodeMeta(value)
	}
	if err != nil {
		e.damage(strings.Join(e.tables, ", "), fmt.Errorf("the row that says how far the store had come: %w", err))
	} else if m.ts != found {
		e.damage(manifestFile, fmt.Errorf("the last transaction found is %d, and the one that wrote last was %d: %w", found, m.ts, ErrCorrupt))
	}
}
