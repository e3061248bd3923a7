package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

const checkArgs = "DIR"

// check looks at a data directory, which it does not change, and writes a line for
// each damaged file and for each row or key that something is wrong with, and one
// in sum.
func check(_ context.Context, c console, args []string) (status int) {
	args, err := parse(flag.NewFlagSet("check", flag.ContinueOnError), c, checkArgs, args, 1)
	if err != nil {
		return statusOf(c, "check", err)
	}
	dir := args[0]
	report := &audit.Report{}
	found, err := persistence.Examine(dir, persistence.Examiner{
		Damaged: func(d persistence.FileDamage) { fmt.Fprintf(c.out, "file %s: %v\n", d.File, d.Err) },
		Rows: func(r persistence.Reader) (err error) {
			report, err = audit.Check(r)
			return err
		},
	})
	if err != nil {
		fmt.Fprintf(c.err, "dormouse check: %v\n", err)
		return exitCannot
	}
	return conclude(c.out, dir, found, report)
}

// conclude writes what was found in rows, and the sum.
func conclude(out io.Writer, dir string, found *persistence.Examination, report *audit.Report) (status int) {
	for _, f := range report.Findings {
		fmt.Fprintln(out, f)
	}
	if report.More > 0 {
		fmt.Fprintf(out, "and %d findings more\n", report.More)
	}
	if found.Unread != nil {
		fmt.Fprintf(out, "the rows were not read: %v\n", found.Unread)
	}
	verdict := "good"
	if len(found.Damage) > 0 || !report.Good() || found.Unread != nil {
		verdict, status = "damaged", exitDamaged
	}
	closed := "closed"
	if !found.Clean {
		closed = "not closed by its last process"
	}
	fmt.Fprintf(out, "%s is %s (%s): %d files, %d transactions, %d rows, %d invocations, %d of them unfinished, %d awakeables without an answer; damaged: %d files, %d findings in rows\n",
		dir, verdict, closed, found.Files, found.Transactions, report.Rows, report.Invocations, report.Unfinished, report.Awakeables,
		len(found.Damage), uint64(len(report.Findings))+report.More)
	return status
}
