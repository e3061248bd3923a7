// Command dormouse does to a data directory, or to a running program, what is done
// from a shell:
//
//	dormouse backup [-admin URL] [-tokens FILE] FILE   take a backup of a running program
//	dormouse restore FILE DIR                          make a new data directory of a backup
//
// It exits with 0 when that went well, with 1 when it did not, and with 2 when it
// was asked for something that it does not understand.
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

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// console is what a subcommand talks to.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// subcommand is one of the things that the command does. Run gets what follows
// its name, and may add flags to fs before it parses them.
type subcommand struct {
	name, args, summary string
	run                 func(ctx context.Context, c console, fs *flag.FlagSet, args []string) error
}

func subcommands() []subcommand {
	return []subcommand{
		{"backup", "[-admin URL] [-tokens FILE] FILE", "take a backup of a running program", backUp},
		{"restore", "FILE DIR", "make a new data directory of a backup", restore},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, console{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// errUsage ends a subcommand that was called in a wrong way, after it has said
// what is wrong.
var errUsage = errors.New("wrong usage")

// run does what args say and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	for _, s := range subcommands() {
		if s.name == name {
			return s.call(ctx, c, args[1:])
		}
	}
	switch name {
	case "help", "-h", "-help", "--help":
		usage(c.out)
		return exitOK
	case "":
	default:
		fmt.Fprintf(c.err, "dormouse: there is no subcommand %q\n", name)
	}
	usage(c.err)
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage:")
	for _, s := range subcommands() {
		fmt.Fprintf(w, "  dormouse %-7s %-34s %s\n", s.name, s.args, s.summary)
	}
}

func (s subcommand) call(ctx context.Context, c console, args []string) int {
	fs := flag.NewFlagSet(s.name, flag.ContinueOnError)
	fs.SetOutput(c.err)
	fs.Usage = func() {
		fmt.Fprintf(c.err, "usage: dormouse %s %s\n", s.name, s.args)
		fs.PrintDefaults()
	}
	err := s.run(ctx, c, fs, args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	default:
		fmt.Fprintf(c.err, "dormouse %s: %v\n", s.name, err)
		return exitFailed
	}
}

// parse parses the flags and returns the n arguments behind them. Its error has
// been told.
func parse(fs *flag.FlagSet, args []string, n int) ([]string, error) {
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil, err
	} else if err != nil {
		return nil, errUsage
	}
	if fs.NArg() != n {
		fmt.Fprintf(fs.Output(), "dormouse %s: %d arguments behind the flags, and %d are needed\n", fs.Name(), fs.NArg(), n)
		fs.Usage()
		return nil, errUsage
	}
	return fs.Args(), nil
}
