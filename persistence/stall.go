package persistence

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
)

// stall notes that the engine cannot write a table.
//
// The engine tries that again every second, for ever: it leaves a part of a table
// behind each time, it stops taking commits without a word once its memory is full, and
// it does not close. It says so in its log and nowhere else, so that is where this
// hears of it. The store ends then as it does after a failed commit: what it has
// acknowledged is in the logs.
type stall struct {
	cause atomic.Pointer[string]
	// first is closed when it happens for the first time.
	first chan struct{}
	// again holds one when it has happened since it was last looked at.
	again chan struct{}
}

func newStall() *stall { return &stall{first: make(chan struct{}), again: make(chan struct{}, 1)} }

// flushFailure begins what the engine logs then.
const flushFailure = "error flushing memtable to disk"

// fail notes it of a table that the engine itself does not miss.
func (s *stall) fail(cause string) {
	if s.cause.Swap(&cause) == nil {
		close(s.first)
	}
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// note looks at an error that the engine logs.
func (s *stall) note(line string) {
	if !strings.Contains(line, flushFailure) {
		return
	}
	s.fail(line)
}

// err is nil as long as every table could be written.
func (s *stall) err() error {
	if line := s.cause.Load(); line != nil {
		return fmt.Errorf("a table cannot be written: %s", *line)
	}
	return nil
}

// close closes an engine, or gives it up when it cannot write its tables: then it goes
// on trying, and nobody else can open the directory until this process has ended.
func (s *stall) close(db *badger.DB) error {
	select {
	case <-s.again: // before
	default:
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	select {
	case err := <-closed:
		return err
	case <-s.again:
		return fmt.Errorf("the engine does not close: %w", s.err())
	}
}
