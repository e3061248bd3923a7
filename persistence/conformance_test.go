package persistence_test

import (
	"testing"

	"github.com/dormouse-run/dormouse/persistence"
	"github.com/dormouse-run/dormouse/persistence/storetest"
)

func TestMemoryConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness { return &memoryHarness{} })
}

type memoryHarness struct{ last persistence.Store }

func (h *memoryHarness) Open(t *testing.T) persistence.Store {
	if h.last == nil {
		h.last = persistence.NewMemory()
		return h.last
	}
	return h.Crash(t, h.last)
}

func (h *memoryHarness) Crash(_ *testing.T, s persistence.Store) persistence.Store {
	h.last = s.(*persistence.Memory).Crash()
	return h.last
}

func TestBadgerConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Harness { return &badgerHarness{dir: t.TempDir()} })
}

type badgerHarness struct{ dir string }

func (h *badgerHarness) Open(t *testing.T) persistence.Store {
	t.Helper()
	s, err := persistence.Open(h.dir, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Crash copies the directory, as a kill would leave it, and opens the copy.
func (h *badgerHarness) Crash(t *testing.T, _ persistence.Store) persistence.Store {
	t.Helper()
	h.dir = persistence.MustCopyLive(t, h.dir)
	return h.Open(t)
}
