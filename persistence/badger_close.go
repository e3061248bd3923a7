package persistence

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// Close implements Store. It waits for a commit and for reads under way, which
// fail soon with ErrClosed. It must not be called inside of a Read.
func (s *badgerStore) Close() error {
	s.closing.Store(true)
	if !s.life.end() {
		return nil
	}
	healthy := s.log.close()
	err := s.mayClose()
	if err == nil {
		err = s.closeEngine(s.db)
	}
	if err == nil && healthy {
		err = s.noteClean()
	}
	if err = errors.Join(err, s.owner.release()); err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	return nil
}

func (s *badgerStore) closeEngine(db *badger.DB) error {
	return s.compactions.close(func() error { return s.stall.close(db) })
}

// mayClose is an error when the engine must not be closed: it would write tables into
// a directory that belongs to somebody else, or that is no longer where it was; or a
// table was lost, and the directory is not a clean one: the next opening has to look for
// what it takes back.
func (s *badgerStore) mayClose() error {
	s.log.mu.Lock()
	err := s.owner.check()
	s.log.mu.Unlock()
	if err != nil {
		return fmt.Errorf("the engine is not closed: %w", err)
	}
	if err = s.compactions.lost(); err != nil {
		err = fmt.Errorf("the engine is not closed: %w", err)
	}
	return errors.Join(s.roomToClose(), err)
}

// roomToClose is an error when the disk is so full that the engine must not be closed.
// It writes what it has in memory as tables then, a table for each log, through maps:
// without space that would end the process at once. Nobody else can open the directory
// until this process has ended.
func (s *badgerStore) roomToClose() error {
	reading, err := s.health.makeRoom("close")
	if err != nil {
		s.options.Logger.Error("the ballast file cannot be dropped", "dir", s.dir, "error", err)
	}
	if reading.Pressure != PressureHard {
		return nil
	}
	logs, err := (&guard{dir: s.dir}).logs()
	if err != nil {
		return err
	}
	if need := uint64(len(logs)) * tableRoom; reading.Room.Bytes < need {
		return fmt.Errorf("the engine is not closed, which takes %d bytes: %s: %w", need, reading.Reason, ErrNoSpace)
	}
	return nil
}

// noteClean writes the marker after a clean close.
func (s *badgerStore) noteClean() error {
	logs, err := (&guard{dir: s.dir}).logs()
	if err != nil {
		return err
	}
	m := marker{State: markerClean, LastCommit: s.engine.ts, LogFile: s.marker.LogFile, LogFiles: len(logs)}
	if m.ManifestSize, m.ManifestCRC, err = manifestSum(s.dir); err != nil {
		return err
	}
	return m.write(s.dir)
}
