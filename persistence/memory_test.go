package persistence

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
)

func TestHookFailsACommitBeforeAndAfter(t *testing.T) {
	t.Parallel()
	errDisk := errors.New("disk")
	fail := func([]*Batch, Marks) error { return errDisk }
	for _, c := range []struct {
		hooks Hooks
		kept  bool
	}{{Hooks{BeforeCommit: fail}, false}, {Hooks{AfterCommit: fail}, true}} {
		m := memory()
		m.SetHooks(c.hooks)
		if err := m.Commit([]*Batch{mustEncode(t, 1, machine.Write{Put: stateRow("x", 1)})}, Marks{}); !errors.Is(err, errDisk) {
			t.Fatalf("got %v", err)
		}
		m.SetHooks(Hooks{})
		if err := m.Commit(nil, Marks{Clock: 1}); !errors.Is(err, ErrClosed) {
			t.Fatalf("the next commit: %v", err)
		}
		m = m.Crash()
		err := m.Read(func(r Reader) error {
			row, err := r.Get(stateRow("x", 0).Key())
			if (row != nil) != c.kept {
				t.Errorf("row %v, want kept %v", row, c.kept)
			}
			return err
		})
		if err != nil || m.Info().Clean {
			t.Fatalf("clean %v, %v", m.Info().Clean, err)
		}
	}
}

// TestHeldCommitIsLostInACrash holds a commit and crashes meanwhile. It runs in
// a bubble, where a store that used a goroutine or the clock would be caught.
func TestHeldCommitIsLostInACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := memory()
		let := make(chan struct{})
		m.SetHooks(Hooks{BeforeCommit: func([]*Batch, Marks) error { <-let; return nil }})
		result := make(chan error, 1)
		b := mustEncode(t, 1, machine.Write{Put: stateRow("x", 1)})
		go func() { result <- m.Commit([]*Batch{b}, Marks{}) }()
		synctest.Wait()
		next := m.Crash()
		close(let)
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Fatalf("the held commit: %v", err)
		}
		err := next.Read(func(r Reader) error {
			row, err := r.Get(stateRow("x", 0).Key())
			if row != nil {
				t.Error("the held commit is there")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, next, b)
	})
}

func TestCrashEndsReadsOfTheOldMemory(t *testing.T) {
	t.Parallel()
	m := memory()
	err := m.Read(func(r Reader) error {
		m.Crash()
		_, err := r.Get(stateRow("x", 0).Key())
		return err
	})
	if !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestMemoryHealthIsWhatTheHookSays(t *testing.T) {
	t.Parallel()
	m := memory()
	if h := m.Health(); h != (Health{}) {
		t.Fatalf("got %+v", h)
	}
	want := Health{Pressure: PressureSoft, Reason: "a test", At: time.UnixMilli(1)}
	m.SetHooks(Hooks{Health: func() Health { return want }})
	if h := m.Health(); h != want {
		t.Fatalf("got %+v", h)
	}
}

// skipLong skips what takes long under the race detector and starts no goroutine of
// ours: that run takes -short.
func skipLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: not with -short")
	}
}
