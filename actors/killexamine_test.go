package actors_test

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

// examine judges what a child has left behind: no file may be damaged, and all
// rows have to fit each other, wherever it was killed.
func (l *killLoop) examine() {
	l.t.Helper()
	began := time.Now()
	var report *audit.Report
	found, err := persistence.Examine(l.dir, persistence.Examiner{Rows: func(r persistence.Reader) (err error) {
		report, err = audit.Check(r)
		return err
	}})
	switch {
	case l.examined == 0 && (errors.Is(err, persistence.ErrFormat) || errors.Is(err, fs.ErrNotExist)):
		return // it was killed before there was anything
	case err != nil:
		l.fail("examine: %v", err)
	case len(found.Damage) > 0 || found.Unread != nil:
		l.fail("what child %d has left is damaged: %+v; it is kept in %s", l.restarts, found, l.keep())
	case report != nil && !report.Good():
		l.fail("what child %d has left does not fit: %v; it is kept in %s", l.restarts, report.Findings, l.keep())
	}
	l.examined++
	l.examining = max(l.examining, time.Since(began))
}

// keep copies the directory to where it can be looked at afterwards.
func (l *killLoop) keep() string {
	l.t.Helper()
	to, err := os.MkdirTemp("", "dormouse-kill-")
	if err == nil {
		err = persistence.CopyLive(l.dir, to)
	}
	if err != nil {
		l.t.Error(err)
	}
	return to
}
