package main

import (
	"context"
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
	in := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was read to its end
		in = f
	}
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	info, err := persistence.Restore(ctx, in, dir, persistence.Options{Logger: log})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, describe(dir, info))
	if info.Damaged > 0 {
		fmt.Fprintf(c.err, "%d of its rows were damaged when the backup was taken, and are so now: what they belong to will be out of service\n", info.Damaged)
	}
	return advise(c.out)
}

// advise says what a restored directory must not be used for.
func advise(w io.Writer) error {
	_, err := fmt.Fprintln(w, "start it only when the program that the backup is of will not run again: what that did after the backup is unknown here, and will be done again")
	return err
}
