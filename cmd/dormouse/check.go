package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

const checkArgs = "DIR | FILE"

// check looks at a data directory or at a backup, which it does not change, and says
// whether that is good.
func check(ctx context.Context, c console, args []string) (status int) {
	args, err := parse(flag.NewFlagSet("check", flag.ContinueOnError), c, checkArgs, args, 1)
	if err != nil {
		return statusOf(c, "check", err)
	}
	out := &teller{w: c.out}
	look := func() (bool, error) { return checkDirectory(ctx, out, args[0]) }
	if info, err := os.Stat(args[0]); args[0] == "-" || err == nil && !info.IsDir() {
		look = func() (bool, error) { return checkBackup(ctx, c, out, args[0]) }
	}
	good, err := look()
	switch err := errors.Join(err, out.err); {
	case err != nil:
		fmt.Fprintf(c.err, "dormouse check: %v\n", err)
		return exitCannot
	case !good:
		return exitDamaged
	default:
		return exitGood
	}
}

// checkDirectory writes a line for each damaged file and for each row or key that
// something is wrong with, and one in sum.
func checkDirectory(ctx context.Context, out *teller, dir string) (good bool, err error) {
	report := &audit.Report{}
	found, err := persistence.Examine(dir, persistence.Examiner{
		Done:    ctx.Done(),
		Damaged: func(d persistence.FileDamage) { out.line("file %s: %v", d.File, d.Err) },
		Rows: func(r persistence.Reader) (err error) {
			report, err = audit.Check(r)
			return err
		},
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return false, fmt.Errorf("%w; nothing was told", context.Cause(ctx))
	case err != nil:
		return false, err
	}
	return conclude(out, dir, found, report), nil
}

// conclude writes what was found in rows, and the sum.
func conclude(out *teller, dir string, found *persistence.Examination, report *audit.Report) (good bool) {
	for _, f := range report.Findings {
		out.line("%v", f)
	}
	if report.More > 0 {
		out.line("and %d findings more", report.More)
	}
	if found.Unread != nil {
		out.line("the rows were not read: %v", found.Unread)
	}
	verdict := "damaged"
	if good = len(found.Damage) == 0 && report.Good() && found.Unread == nil; good {
		verdict = "good"
	}
	closed := "closed"
	if !found.Clean {
		closed = "not closed by its last process"
	}
	out.line("%s is %s (%s): %d files looked at, %d transactions, %d rows, %d invocations, %d of them unfinished, %d awakeables of suspended ones without an answer; damaged: %d files, %d findings in rows",
		dir, verdict, closed, found.Files, found.Transactions, report.Rows, report.Invocations, report.Unfinished, report.Awakeables,
		len(found.Damage), uint64(len(report.Findings))+report.More)
	return good
}

// checkBackup says whether a backup is whole, and whether this build can restore it.
func checkBackup(ctx context.Context, c console, out *teller, name string) (good bool, err error) {
	in, closed, err := openInput(ctx, c, name)
	if err != nil {
		return false, err
	}
	defer closed()
	info, err := persistence.CheckBackup(in)
	switch {
	case err != nil && ctx.Err() != nil:
		return false, fmt.Errorf("%w; nothing was told", context.Cause(ctx))
	case in.err != nil:
		return false, fmt.Errorf("%s cannot be read: %w", name, in.err)
	case errors.Is(err, persistence.ErrNoBackup):
		return false, fmt.Errorf("%s is neither a data directory nor a backup of Dormouse; name another one", name)
	case errors.Is(err, persistence.ErrBackupFormat):
		return false, fmt.Errorf("%s: %w", name, errors.Unwrap(err))
	case err != nil:
		out.line("%s is damaged: %v", name, errors.Unwrap(err))
		return false, nil
	case info.Format != persistence.DataFormat:
		return false, fmt.Errorf("%s is whole, and has data format %d where this build has %d: check and restore it with the version that wrote it", name, info.Format, persistence.DataFormat)
	case info.Damaged > 0:
		out.line("%s is damaged: it is as it was written, and %d of its rows were damaged in the store already: %s", name, info.Damaged, describe(info, in.n))
		return false, nil
	default:
		out.line("%s is good: %s", name, describe(info, in.n))
		return true, nil
	}
}
