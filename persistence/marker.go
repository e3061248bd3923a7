package persistence

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

const markerFile = "MARKER"

// marker is what the directory should hold, kept outside of the engine: a file
// that has gone missing takes its own record with it.
//
// It is written when a store opens, when the engine begins another log file,
// when a commit fails and at a clean close.
type marker struct {
	State markerState `json:"state"`
	// LastCommit is the timestamp of a commit that was durable when the marker
	// was written, at a clean close of the last one.
	LastCommit uint64 `json:"last_commit"`
	// LogFile is the engine's log file that held it.
	LogFile string `json:"log_file"`
	// LogFiles, ManifestSize and ManifestCRC describe the engine's files at a
	// clean close.
	LogFiles     int    `json:"log_files"`
	ManifestSize int64  `json:"manifest_size"`
	ManifestCRC  uint32 `json:"manifest_crc"`
	// CommitFailed says that a sync may have failed. What the engine reads back
	// then need not be on the disk.
	CommitFailed bool `json:"commit_failed"`
}

// markerState says how the last opening ended.
type markerState string

const (
	// markerNew: the engine has never been opened.
	markerNew markerState = "new"
	// markerOpen: the store is open, or its process died.
	markerOpen markerState = "open"
	// markerClean: the store was closed.
	markerClean markerState = "clean"
)

// failedFile is there when a commit has failed and the marker could not say so. It is
// not synced, on a disk where syncs fail: when it is lost, what was not synced is lost
// too, and there is nothing to say.
const failedFile = "FAILED"

// fail notes that a commit has failed.
func (m *marker) fail(dir string) error {
	m.CommitFailed = true
	err := m.write(dir)
	if err != nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, failedFile), nil, 0o600))
	}
	return err
}

// recovered notes that what is in dir is on its disk.
func (m *marker) recovered(dir string) error {
	m.CommitFailed = false
	err := os.Remove(filepath.Join(dir, failedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// write replaces the marker of dir durably.
func (m *marker) write(dir string) error {
	content, err := m.encode()
	if err == nil {
		err = writeFile(dir, markerFile, content)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", markerFile, err)
	}
	return nil
}

// encode returns the content of the file: JSON, and its sum.
func (m *marker) encode() ([]byte, error) {
	content, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(append(content, '\n'), "%08x\n", crc32.Checksum(content, castagnoli())), nil
}

// readMarker reads the marker of dir, which is there before the directory has a format.
func readMarker(dir string) (marker, error) {
	content, err := os.ReadFile(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return marker{}, fmt.Errorf("%s is missing: %w", markerFile, ErrCorrupt)
	}
	if err != nil {
		return marker{}, err
	}
	m, err := parseMarker(content)
	if err != nil {
		return marker{}, err
	}
	if _, err := os.Stat(filepath.Join(dir, failedFile)); err == nil {
		m.CommitFailed = true
	}
	return m, nil
}

// parseMarker reads the content of the file.
func parseMarker(content []byte) (marker, error) {
	const sumLen = 10 // a line end, eight digits, a line end
	var m marker
	if n := len(content) - sumLen; n > 0 {
		sum := fmt.Sprintf("\n%08x\n", crc32.Checksum(content[:n], castagnoli()))
		if sum == string(content[n:]) && json.Unmarshal(content[:n], &m) == nil {
			return m, nil
		}
	}
	return marker{}, fmt.Errorf("%s is damaged: %w", markerFile, ErrCorrupt)
}

// tempSuffix is that of a file until it takes the place of the one before.
const tempSuffix = ".tmp"

// writeFile replaces a file of dir durably and atomically.
func writeFile(dir, name string, content []byte) error {
	temp := filepath.Join(dir, name+tempSuffix)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// manifestSum returns size and CRC32C of the engine's manifest.
func manifestSum(dir string) (size int64, sum uint32, err error) {
	content, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return 0, 0, err
	}
	return int64(len(content)), crc32.Checksum(content, castagnoli()), nil
}
