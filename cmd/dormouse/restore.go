package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/dormouse-run/dormouse/persistence"
)

const restoreArgs = "FILE DIR"

// restore makes a data directory of a backup.
func restore(ctx context.Context, c console, args []string) (status int) {
	return statusOf(c, "restore", restoreBackup(ctx, c, args))
}

func restoreBackup(ctx context.Context, c console, args []string) error {
	args, err := parse(flag.NewFlagSet("restore", flag.ContinueOnError), c, restoreArgs, args, 2)
	if err != nil {
		return err
	}
	name, dir := args[0], args[1]
	in, closed, err := openInput(c, name)
	if err != nil {
		return err
	}
	defer closed()
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	info, err := persistence.Restore(ctx, in, dir, persistence.Options{Logger: log})
	switch {
	case ctx.Err() != nil && err != nil:
		return fmt.Errorf("%w; nothing was restored", context.Cause(ctx))
	case err != nil && in.err != nil:
		return fmt.Errorf("%s cannot be read: %w", name, in.err)
	case ofBackup(err):
		return fmt.Errorf("%s: %w", name, errors.Unwrap(err))
	case err != nil:
		return err
	}
	out := teller{w: c.out}
	out.line("%s is restored from %s: %s", dir, name, describe(info, in.n))
	if info.Damaged > 0 {
		fmt.Fprintf(c.err, "%d of its rows were damaged when the backup was taken, and are so now: what they belong to will be out of service\n", info.Damaged)
	}
	// What a restored directory must not be used for.
	out.line("start it only when the program that the backup is of will not run again: what that did after the backup is unknown here, and will be done again")
	if out.err != nil {
		return fmt.Errorf("%s is restored, but %w", dir, out.err)
	}
	return nil
}

// ofBackup reports whether an error of a restore is about the backup, and not about
// the directory.
func ofBackup(err error) bool {
	for _, kind := range []error{persistence.ErrNoBackup, persistence.ErrBackupFormat, persistence.ErrBackupIncomplete, persistence.ErrBackupDamaged} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// openInput opens a backup, "-" for standard input. The function closes it.
func openInput(c console, name string) (in *input, closed func(), err error) {
	if name == "-" {
		return &input{r: c.in}, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return &input{r: f}, func() { _ = f.Close() }, nil // it was read
}

// input reads, counts, and keeps what went wrong.
type input struct {
	r   io.Reader
	n   int64
	err error
}

// Read implements io.Reader.
func (i *input) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.n += int64(n)
	if err != nil && err != io.EOF {
		i.err = err
	}
	return n, err
}
