// Command dormouse looks after data directories.
//
//	dormouse check DIR | FILE                          says whether a data directory or a backup is good, and what is damaged
//	dormouse backup [-admin URL] [-tokens FILE] FILE   takes a backup of a running program
//	dormouse restore FILE DIR                          makes a new data directory of a backup
//	dormouse version                                   says which build this is
//
// No process may have the directory open. A FILE may be - for standard input, or for
// standard output of backup.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
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
		{"check", checkArgs, "says whether a data directory or a backup is good, and what is damaged", check},
		{"backup", backupArgs, "takes a backup of a running program", backUp},
		{"restore", restoreArgs, "makes a new data directory of a backup", restore},
		{"version", versionArgs, "says which build this is", version},
	}
}

func main() {
	ctx, stop := untilTold()
	status := run(ctx, console{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(status)
}

// untilTold returns a context that is done when the process is told to end. A terminal
// that hangs up tells it, but for what nohup has started.
func untilTold() (ctx context.Context, stop context.CancelFunc) {
	told := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		told = append(told, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), told...)
}

func run(ctx context.Context, c console, args []string) (status int) {
	if len(args) == 0 {
		usage(c.err)
		return exitCannot
	}
	switch name := args[0]; name {
	case "-h", "-help", "--help", "help":
		return statusOf(c, name, usage(c.out))
	case "-version", "--version":
		args = append([]string{"version"}, args[1:]...)
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			return cmd.run(ctx, c, args[1:])
		}
	}
	fmt.Fprintf(c.err, "dormouse: there is no command %q\n", args[0])
	usage(c.err)
	return exitCannot
}

// dash is what the usage says of FILE.
const dash = "FILE may be -, which is standard output for backup, and standard input for others"

// usage lists the commands.
func usage(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, "usage:")
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "  dormouse %-40s %s\n", cmd.name+" "+cmd.args, cmd.what)
	}
	fmt.Fprintf(&b, "%s; 'dormouse backup -h' says more\n", dash)
	_, err := io.WriteString(w, b.String())
	return err
}

// errUsage ends a command that was called wrongly, when it has said so.
var errUsage = errors.New("wrong usage")

// parse parses flags and returns the n arguments behind them. usage is what they
// look like. Its error is one that statusOf knows.
func parse(fs *flag.FlagSet, c console, usage string, args []string, n int) ([]string, error) {
	explain := func(w io.Writer) {
		fmt.Fprintf(w, "usage: dormouse %s %s\n", fs.Name(), usage)
		if strings.Contains(usage, "FILE") {
			fmt.Fprintln(w, dash)
		}
		fs.SetOutput(w)
		fs.PrintDefaults()
		fs.SetOutput(c.err)
	}
	fs.SetOutput(c.err)
	fs.Usage = func() {}
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		explain(c.out)
		return nil, err
	}
	empty := slices.Contains(fs.Args(), "")
	if err == nil && fs.NArg() == n && !empty {
		return fs.Args(), nil
	}
	if empty {
		fmt.Fprintf(c.err, "dormouse %s: an argument is empty\n", fs.Name())
	}
	if at := slices.IndexFunc(fs.Args(), func(arg string) bool { return len(arg) > 1 && arg[0] == '-' }); err == nil && at > 0 {
		fmt.Fprintf(c.err, "dormouse %s: %s stands behind %s: flags go first\n", fs.Name(), fs.Arg(at), fs.Arg(0))
	}
	explain(c.err)
	return nil, errUsage
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

// teller writes the lines of a report and keeps the first error.
type teller struct {
	w   io.Writer
	err error
}

func (t *teller) line(format string, args ...any) {
	if t.err != nil {
		return
	}
	if _, err := fmt.Fprintf(t.w, format+"\n", args...); err != nil {
		t.err = fmt.Errorf("the report cannot be written: %w", err)
	}
}
