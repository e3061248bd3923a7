package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

const (
	formatFile = "FORMAT"
	// formatVersion is raised by every change of stored bytes.
	formatVersion = 5
	formatPrefix  = "dormouse data format "
)

// DataFormat is the version of stored bytes that this build writes and reads.
const DataFormat = formatVersion

// checkFormat refuses a directory that this build cannot read and marks a new
// one. A directory is new until its FORMAT file is written.
func checkFormat(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return newFormat(dir)
	}
	if err != nil {
		return err
	}
	return sameFormat(content)
}

// knownFormat is checkFormat for a directory that is only looked at. One without
// the file is no data directory, or its file is missing.
func knownFormat(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := withoutFormat(dir); err != nil {
			return err
		}
		return sayFormat("there is no %s file in it, so it is no data directory of Dormouse; name another one", formatFile)
	}
	if err != nil {
		return err
	}
	return sameFormat(content)
}

// sameFormat refuses every format but that of this build, and says which build is
// needed. An older one that was released is read by every later build: who raises
// formatVersion adds what reads the one before, or what refuses it by name, and
// keeps a directory of it for the tests.
func sameFormat(content []byte) error {
	version, ok := parseFormat(content)
	switch {
	case string(content) == restoring:
		return sayFormat("it was left by a restore that has not ended, and holds only a part of its backup; remove it, and restore again")
	case !ok:
		return fmt.Errorf("%s says %.40q, which names no format: it is damaged, and the directory is to be restored from a backup, or of another program: %w", formatFile, content, ErrFormat)
	case version > formatVersion:
		return fmt.Errorf("%s says that the data format is %d, of a later build, and this one has %d: run a build that has %d: %w", formatFile, version, formatVersion, version, ErrFormat)
	case version < formatVersion:
		return fmt.Errorf("%s says that the data format is %d, of an earlier build that was never released, and this one has %d: "+
			"run the build that wrote it to its end, or begin with an empty directory: %w", formatFile, version, formatVersion, ErrFormat)
	}
	return nil
}

// sayFormat is ErrFormat with a text of its own.
func sayFormat(format string, args ...any) error {
	return &reworded{fmt.Sprintf(format, args...), ErrFormat}
}

// formatText is the content of the FORMAT file of a version.
func formatText(version int) []byte { return fmt.Appendf(nil, "%s%d\n", formatPrefix, version) }

// parseFormat reads the content of a FORMAT file, which says each version in one
// way only.
func parseFormat(content []byte) (version int, ok bool) {
	digits, hasPrefix := strings.CutPrefix(string(content), formatPrefix)
	version, err := strconv.Atoi(strings.TrimSuffix(digits, "\n"))
	ok = hasPrefix && err == nil && version > 0 && bytes.Equal(content, formatText(version))
	return version, ok
}

func newFormat(dir string) error {
	if err := withoutFormat(dir); err != nil {
		return err
	}
	m := marker{State: markerNew}
	if err := m.write(dir); err != nil {
		return err
	}
	return writeFile(dir, formatFile, formatText(formatVersion))
}

// notForeign refuses to make a data directory of one that somebody uses for something
// else, like the one that a program was started in. Hidden files are left alone, and
// what a file system has in its root. It is asked before anything is written, while
// another process may just be making the directory: FORMAT comes first then.
func notForeign(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(f fs.DirEntry) bool { return isForeign(f.Name()) })
	if at < 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, formatFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return sayFormat("there is %s in it, and no %s: it is used for something else; name a directory that is empty, or not there yet", list[at].Name(), formatFile)
}

// isForeign reports whether a file cannot be there before FORMAT is. What only an engine
// writes is for withoutFormat to judge.
func isForeign(name string) bool {
	switch name = strings.TrimSuffix(name, tempSuffix); name {
	case ownerFile, markerFile, formatFile, ballastFile, lockFile, failedFile, "lost+found":
		return false
	}
	return !strings.HasPrefix(name, ".") && !isEngineFile(name)
}

// noMarker refuses a directory whose marker is that of a store: the rest of it has
// gone, and the marker is all that still says so.
func noMarker(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, markerFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	m, err := readMarker(dir)
	switch {
	case err != nil:
		return err
	case m.State != markerNew:
		return fmt.Errorf("%s says that %d transactions are stored here (%s), and neither %s nor anything else of them is there: %w",
			markerFile, m.LastCommit, m.State, formatFile, ErrCorrupt)
	}
	return nil
}

// withoutFormat refuses a directory that has no FORMAT file and is not new.
func withoutFormat(dir string) error {
	names, err := engineFiles(dir)
	if err == nil && len(names) > 0 {
		err = sayFormat("there is no %s file beside %s: it has gone, or another program uses the directory; restore it from a backup, or name another one", formatFile, names[0])
	}
	if err != nil {
		return err
	}
	return noMarker(dir)
}

// engineFiles lists files of dir that only an engine writes.
func engineFiles(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range list {
		if isEngineFile(f.Name()) {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

func isEngineFile(name string) bool {
	switch name {
	case manifestFile, badger.KeyRegistryFileName, discardFile:
		return true
	}
	return strings.HasSuffix(name, tableSuffix) || strings.HasSuffix(name, logSuffix) || strings.HasSuffix(name, valueLogSuffix)
}
