package actors

import (
	"errors"
	"testing"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

// audited is a store in memory whose rows have to fit each other whenever a commit
// is durable, which is wherever a process may end.
type audited struct {
	*persistence.Memory
	t *testing.T
}

// Commit implements persistence.Store.
func (s *audited) Commit(group []*persistence.Batch, marks persistence.Marks) error {
	err := s.Memory.Commit(group, marks)
	if err == nil {
		auditStore(s.t, s.Memory)
	}
	return err
}

// auditStore judges what is durable in a store. One that was crashed meanwhile is
// judged when it is opened again.
func auditStore(t *testing.T, store persistence.Store) {
	t.Helper()
	for _, f := range findings(t, store) {
		t.Errorf("audit: %s", f)
	}
}

func findings(t *testing.T, store persistence.Store) (list []audit.Finding) {
	t.Helper()
	err := store.Read(func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err == nil {
			list = report.Findings
		}
		return err
	})
	if err != nil && !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("audit: %v", err)
	}
	return list
}
