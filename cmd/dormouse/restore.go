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
	in, closed, err := openInput(ctx, c, name)
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
func openInput(ctx context.Context, c console, name string) (in *input, closed func(), err error) {
	if name == "-" {
		in, closed = interruptible(ctx, func() (io.ReadCloser, error) { return io.NopCloser(c.in), nil })
		return in, closed, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	if !info.Mode().IsRegular() { // opening it may take for ever
		in, closed = interruptible(ctx, open)
		return in, closed, nil
	}
	f, err := open()
	if err != nil {
		return nil, nil, err
	}
	in, closed = interruptible(ctx, func() (io.ReadCloser, error) { return f, nil })
	return in, closed, nil
}

// interruptible opens and reads what may never come, until it ends or ctx is done, or the
// function is called.
func interruptible(ctx context.Context, open func() (io.ReadCloser, error)) (in *input, closed func()) {
	r, w := io.Pipe()
	go func() {
		f, err := open()
		if err == nil {
			_, err = io.Copy(w, f)
			_ = f.Close() // it was read
		}
		_ = w.CloseWithError(err) // never fails
	}()
	stop := context.AfterFunc(ctx, func() { _ = w.CloseWithError(context.Cause(ctx)) })
	return &input{r: r}, func() { stop(); _ = r.Close() }
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
