package actors

import (
	"errors"
	"testing"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

// audited is a store in memory whose rows have to fit each other whenever a commit
// is durable, which is wherever a process may end. A large store is looked at now
// and then.
type audited struct {
	*persistence.Memory
	t *testing.T
	// pause counts the commits until the next look.
	pause uint64
}

// auditedRows is how many rows are looked at behind every commit.
const auditedRows = 60

// Commit implements persistence.Store.
func (s *audited) Commit(group []*persistence.Batch, marks persistence.Marks) error {
	err := s.Memory.Commit(group, marks)
	if testing.Short() {
		return err
	}
	if s.pause > 0 {
		s.pause--
	} else if err == nil {
		s.pause = auditStore(s.t, s.Memory) / auditedRows
	}
	return err
}

// auditStore judges what is durable in a store. One that was crashed meanwhile is
// judged when it is opened again. It returns how many rows there are.
func auditStore(t *testing.T, store persistence.Store) (rows uint64) {
	t.Helper()
	found, rows := findings(t, store)
	for _, f := range found {
		t.Errorf("audit: %s", f)
	}
	return rows
}

func findings(t *testing.T, store persistence.Store) (list []audit.Finding, rows uint64) {
	t.Helper()
	err := store.Read(func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err == nil {
			list, rows = report.Findings, report.Rows
		}
		return err
	})
	if err != nil && !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("audit: %v", err)
	}
	return list, rows
}
