package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestClientCountsAreRead(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{"-c", "1,16", "-nosync"})
	if err != nil || !slices.Equal(c.clients, []int{1, 16}) || c.sync {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{"", "1,x", "0"} {
		if _, err := parse([]string{"-c", bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestEveryLimitIsMeasuredAndTidiesUp(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"fsync", "badger", "badger-group"} {
		c := &config{
			what: what, dir: filepath.Join(t.TempDir(), "work"), duration: time.Millisecond,
			reps: 1, clients: []int{2}, maxGroup: 4, preallocated: 1 << 20,
		}
		if err := c.run(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
			t.Errorf("%s left something behind: %v", what, err)
		}
	}
	if err := (&config{what: "nap", dir: filepath.Join(t.TempDir(), "work")}).run(); err == nil {
		t.Error("an unknown limit was measured")
	}
}

func TestAFailingOperationEndsTheRun(t *testing.T) {
	t.Parallel()
	l := loop{name: "broken", workers: 2, op: func(int, int) error { return os.ErrClosed }}
	if err := l.measure(time.Millisecond); err == nil {
		t.Error("no error")
	}
}
