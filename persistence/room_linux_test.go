package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dormouse-run/dormouse/internal/faults"
)

// fewDir names the directory that a process with few descriptors examines.
const fewDir = "DORMOUSE_TEST_FEW_DIR"

// TestAnExaminationWithFewDescriptorsSaysSo: the engine would end the process.
func TestAnExaminationWithFewDescriptorsSaysSo(t *testing.T) {
	if dir := os.Getenv(fewDir); dir != "" {
		few := unix.Rlimit{Cur: 12, Max: 12}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
			t.Fatal(err)
		}
		_, err := Examine(dir, Examiner{Rows: func(Reader) error { return nil }})
		if !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "file descriptors") {
			t.Fatalf("it ends with %v", err)
		}
		return
	}
	t.Parallel()
	temp := t.TempDir()
	cmd := faults.Child("TestAnExaminationWithFewDescriptorsSaysSo", time.Minute, fewDir+"="+killed(t, 3, 10), "TMPDIR="+temp)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if left, err := filepath.Glob(temp + "/*"); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
