package child

import (
	"io"
	"os"
	"strings"
)

// How much of a log is shown.
const (
	shownLines = 8
	shownBytes = 4096
)

// lastLines returns the end of a file, indented, but nothing from before offset.
func lastLines(file string, offset int64) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	about, err := f.Stat()
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(io.NewSectionReader(f, max(offset, about.Size()-shownBytes), shownBytes))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-shownLines):]
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "\t" + strings.Join(lines, "\n\t")
}
