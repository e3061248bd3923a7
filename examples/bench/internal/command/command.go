package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Flags is an empty set of flags for Parse.
func Flags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }

// Parse reads the flags, and refuses what is none. It prints the usage when that
// is what was asked for, and returns flag.ErrHelp then.
func Parse(fs *flag.FlagSet, args []string) error {
	fs.SetOutput(io.Discard) // the error is printed once, by Exit
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(os.Stdout)
		fmt.Printf("Usage of %s:\n", fs.Name())
		fs.PrintDefaults()
		return err
	case err != nil:
		return fmt.Errorf("%w; -h shows the flags", err)
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: everything is a flag; -h shows them", fs.Arg(0))
	}
	return nil
}

// Exit ends the command when there is an error. Who has asked for the usage has
// got it.
func Exit(name string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Context ends with the first SIGINT or SIGTERM, so that a command can end what
// it has started. The second one ends the command at once.
func Context() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
