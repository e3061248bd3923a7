package audit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// unreadable is a snapshot in which one row cannot be read, with the error that
// its iterators give for it.
type unreadable struct {
	persistence.Overview
	key machine.Key
	err error
}

func (u *unreadable) Rows(from, to machine.Key, order persistence.Order) persistence.Iterator {
	return &unreadableRows{Iterator: u.Overview.Rows(from, to, order), of: u}
}

type unreadableRows struct {
	persistence.Iterator
	of *unreadable
}

func (r *unreadableRows) Row() (machine.Row, error) {
	if r.Key() == r.of.key {
		return nil, r.of.err
	}
	return r.Iterator.Row()
}

// TestAnUnreadableRowIsNamedAndBlamesNobodyElse makes each row of a store
// unreadable, one at a time. What it would have explained is not told.
func TestAnUnreadableRowIsNamedAndBlamesNobodyElse(t *testing.T) {
	t.Parallel()
	k := museum(t)
	for _, row := range all(t, k.store) {
		err := k.store.Read(func(r persistence.Reader) error {
			u := &unreadable{Overview: r.(persistence.Overview), key: row.Key(), err: fmt.Errorf("the checksum does not fit: %w", persistence.ErrCorrupt)}
			report, err := audit.Check(u)
			if err != nil {
				return err
			}
			if len(report.Findings) != 1 || report.Findings[0].Rule != audit.RuleReadable {
				t.Errorf("of an unreadable %T are found %v", row, report.Findings)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatCannotBeLookedAtIsAnError is for trouble that is no damage.
func TestWhatCannotBeLookedAtIsAnError(t *testing.T) {
	t.Parallel()
	k := museum(t)
	failed := errors.New("input/output error")
	for _, row := range all(t, k.store) {
		err := k.store.Read(func(r persistence.Reader) error {
			_, err := audit.Check(&unreadable{Overview: r.(persistence.Overview), key: row.Key(), err: failed})
			return err
		})
		if !errors.Is(err, failed) {
			t.Errorf("a %T that the disk does not give: %v", row, err)
		}
	}
}
