package conformance_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/dormouse-run/dormouse/httpapi"
)

// Environment of a child: its data directory and its mode.
const (
	envChild = "CONFORMANCE_DATA"
	envMode  = "CONFORMANCE_MODE"
)

// serveAsChild is the program of a child. It tells its addresses on standard
// output, ends with SIGTERM, and returns the exit code.
func serveAsChild() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	options := mode(os.Getenv(envMode)).options()
	c := httpapi.Config{
		Dir: os.Getenv(envChild), Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Runtime: options,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Ready:  func(a httpapi.Addresses) { fmt.Println("serving", a.Ingress, a.Admin) },
	}
	if err := httpapi.Run(ctx, c, options.Services...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child is a process with a data directory.
type child struct {
	*world
	mode mode
	dir  string
	cmd  *exec.Cmd
}

// startChild starts a process on a directory and waits until it serves. env adds
// to its environment.
func startChild(t *testing.T, m mode, dir string, env ...string) *child {
	t.Helper()
	c := &child{mode: m, dir: dir, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(append(os.Environ(), envChild+"="+dir, envMode+"="+string(m)), env...)
	c.cmd.Stderr = t.Output()
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.end(syscall.SIGKILL) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if at := strings.Fields(lines.Text()); len(at) == 3 && at[0] == "serving" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			c.world = newWorld(t, at[1], at[2])
			return c
		}
	}
	t.Fatal("the process ended before it served")
	return nil
}

// end sends a signal, waits until the process is gone, and returns its exit
// code. It may be called again.
func (c *child) end(s syscall.Signal) int {
	_ = c.cmd.Process.Signal(s)
	_ = c.cmd.Wait()
	return c.cmd.ProcessState.ExitCode()
}

// again ends the process with a signal and starts the next one.
func (c *child) again(s syscall.Signal) *child {
	c.t.Helper()
	if code := c.end(s); s == syscall.SIGTERM && code != 0 {
		c.t.Fatalf("the process ended with status %d", code)
	}
	return startChild(c.t, c.mode, c.dir)
}

// inChildren runs a case in each of the modes, in a process of its own.
func inChildren(t *testing.T, run func(t *testing.T, c *child), modes ...mode) {
	t.Helper()
	t.Parallel()
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			run(t, startChild(t, m, t.TempDir()))
		})
	}
}
