package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	formatFile = "FORMAT"
	// formatVersion is raised by every change of stored bytes.
	formatVersion = 5
	formatPrefix  = "dormouse data format "
)

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
		return fmt.Errorf("there is no %s file in it: %w", formatFile, ErrFormat)
	}
	if err != nil {
		return err
	}
	return sameFormat(content)
}

func sameFormat(content []byte) error {
	want := formatLine()
	if bytes.Equal(content, want) {
		return nil
	}
	return fmt.Errorf("%s says %q where this build writes %q: %w", formatFile, content, want, ErrFormat)
}

// formatLine is the content of the FORMAT file.
func formatLine() []byte { return fmt.Appendf(nil, "%s%d\n", formatPrefix, formatVersion) }

func newFormat(dir string) error {
	names, err := engineFiles(dir)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("there is no %s file beside %s: %w", formatFile, names[0], ErrFormat)
	}
	m := marker{State: markerNew}
	if err := m.write(dir); err != nil {
		return err
	}
	return writeFile(dir, formatFile, formatLine())
}

// engineFiles lists files of dir that only an engine writes.
func engineFiles(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range list {
		switch name := f.Name(); {
		case name == manifestFile, name == "KEYREGISTRY", strings.HasSuffix(name, tableSuffix),
			strings.HasSuffix(name, logSuffix), strings.HasSuffix(name, valueLogSuffix):
			names = append(names, name)
		}
	}
	return names, nil
}
