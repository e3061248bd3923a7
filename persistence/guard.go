package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
)

// Names that the engine gives its files.
const (
	discardFile    = "DISCARD"
	manifestFile   = badger.ManifestFilename
	tableSuffix    = ".sst"
	logSuffix      = ".mem"
	valueLogSuffix = ".vlog"
)

// guard looks at the files of a directory before the engine does.
//
// The engine opens what it can read and says nothing about the rest: after a
// damaged record it drops the remainder of a log file, a log file or a table
// that is gone is not missed, and tables that the manifest does not name are
// deleted. So the guard reads the files itself and compares them with each
// other and with the marker. It uses that transactions are numbered without
// gaps: what is in the tables and in the log files, oldest first, must join.
type guard struct {
	dir    string
	marker marker
	// torn names the log files that end with a part of a transaction, which inspect
	// has found.
	torn []string
	// flushed names the log files of which everything is in tables, which inspect has
	// removed.
	flushed []string
	// files counts the tables and logs that inspect has found.
	files int
	// toplevel counts what the top level of tables may hold when the engine has opened:
	// the tables in it, and one for each log file.
	toplevel int
}

// inspect returns the timestamp of the last transaction in the directory.
func (g *guard) inspect() (last uint64, err error) {
	if wrong, _ := g.others(); len(wrong) > 0 {
		return 0, fmt.Errorf("%s: %w", wrong[0].File, wrong[0].Err)
	}
	if err := g.removeEmpty(); err != nil {
		return 0, err
	}
	if g.marker.State == markerNew {
		return 0, nil
	}
	last, err = g.inspectTables()
	if err != nil {
		return 0, err
	}
	logs, err := g.logs()
	if err != nil {
		return 0, err
	}
	g.files += len(logs)
	if g.marker.State == markerClean && len(logs) != g.marker.LogFiles {
		return 0, fmt.Errorf("there are %d log files (*%s) where a clean close left %d: %w", len(logs), logSuffix, g.marker.LogFiles, ErrCorrupt)
	}
	tables := last
	g.toplevel += len(logs)
	for _, name := range logs {
		if last, err = g.inspectLog(name, last, tables); err != nil {
			return 0, err
		}
	}
	if last < g.marker.LastCommit || g.marker.State == markerClean && last != g.marker.LastCommit {
		return 0, fmt.Errorf("the last transaction found is %d, and %d was durable in log file %s, which is missing or cut: %w",
			last, g.marker.LastCommit, g.marker.LogFile, ErrCorrupt)
	}
	return last, g.removeFlushed()
}

// isFlushed reports whether everything in a log file is in tables, of which the last
// transaction is tables: they are made of the logs in their order.
//
// The engine removes such a log at once, or when the last one who reads in it has ended.
// It is there all the same when the process was killed before, or a power cut has undone
// the removal. Read again, it would bring rows back whose removal no table remembers any
// more. After a failed commit it stays: the tables may not be on the disk.
func (g *guard) isFlushed(span logSpan, tables uint64) bool {
	return span.last > 0 && span.last <= tables && !g.marker.CommitFailed
}

// removeFlushed removes what the engine must not read again.
func (g *guard) removeFlushed() error {
	for _, name := range g.flushed {
		if err := os.Remove(filepath.Join(g.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// removeEmpty removes files without content, which a kill leaves at the moment
// when they are made or removed and which keep the engine from opening.
func (g *guard) removeEmpty() error {
	list, err := os.ReadDir(g.dir)
	if err != nil {
		return err
	}
	for _, f := range list {
		if !strings.HasSuffix(f.Name(), logSuffix) && !strings.HasSuffix(f.Name(), valueLogSuffix) {
			continue
		}
		info, err := f.Info()
		if err == nil && info.Size() == 0 {
			err = os.Remove(filepath.Join(g.dir, f.Name()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// logs lists the log files, oldest first.
func (g *guard) logs() ([]string, error) {
	list, err := os.ReadDir(g.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range list {
		if strings.HasSuffix(f.Name(), logSuffix) {
			names = append(names, f.Name())
		}
	}
	number := func(name string) int {
		n, _ := strconv.Atoi(strings.TrimSuffix(name, logSuffix)) // the engine refuses other names
		return n
	}
	slices.SortFunc(names, func(a, b string) int { return number(a) - number(b) })
	return names, nil
}

// inspectLog reads one log file. Everything up to last was found before it, up to tables
// in tables.
//
// It reads through a map: a buffer of the heap would have been used before when the
// engine takes its memory for the next log, which is then cleared, page by page,
// instead of staying untouched until there is something to write into it.
func (g *guard) inspectLog(name string, last, tables uint64) (uint64, error) {
	span, err := g.spanOf(name, last)
	if span.torn {
		g.torn = append(g.torn, name)
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("log file %s: %w", name, err)
	case span.first == 0:
		return last, nil
	case g.isFlushed(span, tables):
		g.flushed = append(g.flushed, name)
		return last, nil
	case span.first > last+1:
		return 0, fmt.Errorf("log file %s %w", name, gap(span, last))
	}
	return max(last, span.last), nil
}

// gap is the error for a log file in front of which transactions are missing. One before
// it has gone; or the manifest no longer names the table that holds them, which can look
// as if a crash had cut its last record short.
func gap(span logSpan, last uint64) error {
	return fmt.Errorf("begins with transaction %d, and %d to %d are in no table that %s names and in no log file before it: %w",
		span.first, last+1, span.first-1, manifestFile, ErrCorrupt)
}

// spanOf reads the transactions of one log file.
func (g *guard) spanOf(name string, last uint64) (span logSpan, err error) {
	err = mapped(filepath.Join(g.dir, name), func(f *z.MmapFile) (err error) {
		defer func() { err = errors.Join(err, f.Close(-1)) }()
		span, err = scanLog(f.Data, last+1)
		return err
	})
	return span, err
}

// inspectTables checks the manifest and returns the last transaction in the
// tables that it names.
func (g *guard) inspectTables() (last uint64, err error) {
	tables, err := g.manifest()
	if err != nil {
		return 0, err
	}
	g.files += len(tables)
	for id, t := range tables {
		if t.Level == 0 {
			g.toplevel++
		}
		version, err := inspectTable(table.NewFilename(id, g.dir), t)
		if err != nil {
			return 0, fmt.Errorf("table %06d%s: %w", id, tableSuffix, mistrust(err))
		}
		last = max(last, version)
	}
	return last, nil
}

// manifest returns the tables that the manifest names, if it is the one that a
// clean close has left.
func (g *guard) manifest() (map[uint64]badger.TableManifest, error) {
	size, sum, err := manifestSum(g.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: %w", manifestFile, ErrCorrupt)
	case err != nil:
		return nil, err
	case g.marker.State == markerClean && (size != g.marker.ManifestSize || sum != g.marker.ManifestCRC):
		return nil, fmt.Errorf("%s has %d bytes with checksum %08x where a clean close left %d with %08x: %w",
			manifestFile, size, sum, g.marker.ManifestSize, g.marker.ManifestCRC, ErrCorrupt)
	}
	f, err := os.Open(filepath.Join(g.dir, manifestFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, formatVersion, badger.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, mistrust(err))
	}
	return m.Tables, nil
}

// inspectTable checks every block of a table and returns the highest timestamp in
// it, which its index knows.
//
// The engine could check the blocks when it opens the table, but through a map
// that it keeps: all of the store would be in the memory of the process before
// anything was asked of it. This map is gone at the end.
func inspectTable(path string, m badger.TableManifest) (version uint64, err error) {
	err = mapped(path, func(f *z.MmapFile) (err error) {
		t, err := table.OpenTable(f, table.Options{ReadOnly: true, Compression: m.Compression, ChkMode: options.NoVerification})
		if err != nil {
			return errors.Join(err, f.Close(-1))
		}
		defer func() { err = errors.Join(err, t.Close(-1)) }()
		version = t.MaxVersion()
		return t.VerifyChecksum()
	})
	return version, err
}

// mapped maps a file for read, which closes it. What the disk does not give is an
// error that read ends with, as it would be without a map, and not the end of the
// process.
func mapped(path string, read func(*z.MmapFile) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			text := fmt.Sprintf("%.200v", r)
			if strings.Contains(text, "\n") { // the engine shows all that it knows of a table
				text = "its index makes no sense"
			}
			err = fmt.Errorf("it cannot be read: %s", text)
		}
	}()
	f, err := z.OpenMmapFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return read(f)
}
