// Command dormouse looks after data directories.
//
//	dormouse check DIR                                 says whether a data directory is good, and what is damaged
//	dormouse backup [-admin URL] [-tokens FILE] FILE   takes a backup of a running program
//	dormouse restore FILE DIR                          makes a new data directory of a backup
//
// No process may have the directory open.
package main

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

// Exit statuses. Every command uses them in the same sense.
const (
	exitGood = 0
	// exitFailed says that it went wrong, exitDamaged that it found damage.
	exitFailed  = 1
	exitDamaged = 1
	// exitCannot says that nothing was told or done: the command was called
	// wrongly, or cannot look.
	exitCannot = 2
)

// console is what a command talks to.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// command is one thing that the program does.
type command struct {
	name string
	// args and what are the line of the usage.
	args, what string
	run        func(ctx context.Context, c console, args []string) (status int)
}

// commands lists what the program does. Each has a file of its own.
func commands() []command {
	return []command{
		{"check", checkArgs, "says whether a data directory is good, and what is damaged", check},
		{"backup", backupArgs, "takes a backup of a running program", backUp},
		{"restore", restoreArgs, "makes a new data directory of a backup", restore},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	status := run(ctx, console{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(status)
}

func run(ctx context.Context, c console, args []string) (status int) {
	if len(args) > 0 {
		for _, cmd := range commands() {
			if cmd.name == args[0] {
				return cmd.run(ctx, c, args[1:])
			}
		}
		fmt.Fprintf(c.err, "dormouse: there is no command %q\n", args[0])
	}
	fmt.Fprintln(c.err, "usage:")
	for _, cmd := range commands() {
		fmt.Fprintf(c.err, "  dormouse %-40s %s\n", cmd.name+" "+cmd.args, cmd.what)
	}
	return exitCannot
}

// errUsage ends a command that was called wrongly, when it has said so.
var errUsage = errors.New("wrong usage")

// parse parses flags and returns the n arguments behind them. usage is what they
// look like. Its error is one that status knows.
func parse(fs *flag.FlagSet, c console, usage string, args []string, n int) ([]string, error) {
	fs.SetOutput(c.err)
	fs.Usage = func() {
		fmt.Fprintf(c.err, "usage: dormouse %s %s\n", fs.Name(), usage)
		fs.PrintDefaults()
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, errUsage
	case fs.NArg() != n:
		fs.Usage()
		return nil, errUsage
	}
	return fs.Args(), nil
}

// statusOf says how a command has ended, and why.
func statusOf(c console, name string, err error) (status int) {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitGood
	case errors.Is(err, errUsage):
		return exitCannot
	default:
		fmt.Fprintf(c.err, "dormouse %s: %v\n", name, err)
		return exitFailed
	}
}
