package faults_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/faults"
)

// envFault names what TestChild is for.
const envFault = "DORMOUSE_FAULT"

// inChild runs f in a process of its own, because a filter stays for good, and says
// what that was told to print.
func inChild(t *testing.T, f func() error) {
	t.Helper()
	if os.Getenv(envFault) == t.Name() {
		if err := f(); errors.Is(err, faults.ErrUnavailable) {
			fmt.Println("SKIP:", err)
		} else if err != nil {
			t.Fatal(err)
		}
		return
	}
	cmd := faults.Child(t.Name(), time.Minute, envFault+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, why, skipped := strings.Cut(string(out), "SKIP: "); skipped {
		t.Skip(why)
	}
}

func TestSyncsThatAreWatchedAreSlowAndFailWhenTheyAreTold(t *testing.T) {
	t.Parallel()
	inChild(t, func() error {
		s, err := faults.WatchSyncs()
		if err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Sync(); err != nil {
			return err
		}
		const delay = 50 * time.Millisecond
		s.Slow(delay)
		began := time.Now()
		if err := f.Sync(); err != nil || time.Since(began) < delay {
			return fmt.Errorf("slow: %v after %v", err, time.Since(began))
		}
		s.Slow(0)
		s.Fail(syscall.EIO)
		if err := f.Sync(); !errors.Is(err, syscall.EIO) {
			return fmt.Errorf("failing: %v", err)
		}
		s.Fail(0)
		if err := f.Sync(); err != nil || s.Seen() != 4 {
			return fmt.Errorf("again: %v, %d seen", err, s.Seen())
		}
		return nil
	})
}

func TestMsyncThatIsIgnoredSucceedsAndFsyncIsAsBefore(t *testing.T) {
	t.Parallel()
	inChild(t, func() error {
		if err := faults.IgnoreMsync(); err != nil {
			return err
		}
		// Neither of them can be synced, unless nobody tries.
		if _, _, errno := syscall.Syscall(syscall.SYS_MSYNC, 1, 1, syscall.MS_SYNC); errno != 0 {
			return errno
		}
		if err := syscall.Fsync(1 << 20); !errors.Is(err, syscall.EBADF) {
			return fmt.Errorf("fsync of no file: %v", err)
		}
		return nil
	})
}

func TestMapsAreTakenAndGiven(t *testing.T) {
	t.Parallel()
	count := func() int {
		list, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Skip(err)
		}
		return strings.Count(string(list), "\n")
	}
	const n = 1000
	before := count()
	m, err := faults.TakeMaps(n)
	if errors.Is(err, faults.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := count() - before; got < n-50 || got > n+50 {
		t.Errorf("%d maps more than before, wanted %d", got, n)
	}
	if err := m.Give(); err != nil {
		t.Fatal(err)
	}
	if got := count() - before; got > 50 {
		t.Errorf("%d maps are still taken", got)
	}
}
