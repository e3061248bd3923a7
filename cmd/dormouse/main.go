// Command dormouse looks after data directories.
//
//	dormouse check DIR    says whether a data directory is good, and what is damaged
//
// No process may have the directory open.
package main

import (
	"fmt"
	"io"
	"os"
)

// Exit statuses. Every command uses them in the same sense.
const (
	exitGood    = 0
	exitDamaged = 1
	// exitCannot says that nothing was told: the command was called wrongly, or
	// cannot look.
	exitCannot = 2
)

// command is one thing that the program does.
type command struct {
	name string
	// args and what are the line of the usage.
	args, what string
	run        func(args []string, out, errs io.Writer) (status int)
}

// commands lists what the program does. Each has a file of its own.
func commands() []command {
	return []command{
		{"check", "DIR", "says whether a data directory is good, and what is damaged", check},
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) (status int) {
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return c.run(args[1:], out, errs)
			}
		}
		fmt.Fprintf(errs, "dormouse: there is no command %q\n", args[0])
	}
	fmt.Fprintln(errs, "usage:")
	for _, c := range commands() {
		fmt.Fprintf(errs, "  dormouse %s %s\t%s\n", c.name, c.args, c.what)
	}
	return exitCannot
}
