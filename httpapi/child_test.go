package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/faults"
	restate "github.com/dormouse-run/dormouse/objects"
)

// envChild is the directory of a child: its data, its ledger and its addresses.
const envChild = "DORMOUSE_CHILD_DIR"

// envCalm set to something keeps keys and handlers of a child in memory, as is
// usual; otherwise they leave it at every opportunity.
const envCalm = "DORMOUSE_CHILD_CALM"

// TestChild is a program with a desk, which other tests start and kill; by
// itself it does nothing.
func TestChild(t *testing.T) {
	dir := os.Getenv(envChild)
	if dir == "" {
		t.Skip("it runs as the child of other tests")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if os.Getenv(envFaults) != "" {
		serveFaults(t, childLedger(dir))
	}
	c := httpapi.Config{
		Dir: filepath.Join(dir, "data"), Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Ready: func(a httpapi.Addresses) {
			if err := childLedger(dir).write("serving", fmt.Sprint(os.Getpid()), a.Ingress, a.Admin); err != nil {
				panic(err)
			}
		},
	}
	c.Runtime.CloseGrace = time.Second
	if os.Getenv(envCalm) == "" {
		c.Runtime.InactivityTimeout, c.Runtime.Linger = time.Millisecond, -1
	}
	c.Runtime.Clock = clockAhead(t, childLedger(dir))
	services := slices.Concat(deskServices(childLedger(dir)), fireServices(childLedger(dir)), []restate.ServiceDefinition{blockAndWait(), vault(childLedger(dir)), slates(childEvents(dir))}, purses())
	if err := httpapi.Run(ctx, c, services...); err != nil {
		t.Fatal(err)
	}
}

func childLedger(dir string) ledger { return ledger(filepath.Join(dir, "ledger")) }

// childEvents is a ledger of its own for what is written much.
func childEvents(dir string) ledger { return ledger(filepath.Join(dir, "events")) }

// child is a running TestChild. It has the requests of a house, and no runtime.
type child struct {
	house
	ledger
	dir    string
	cmd    *exec.Cmd
	output *strings.Builder
}

// startChild starts a program on a directory and waits until it serves. env is added to
// its environment.
func startChild(t *testing.T, dir string, env ...string) *child {
	t.Helper()
	c := launchChild(t, dir, env...)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(func() {
		if t.Failed() && c.ingress == "" {
			t.Logf("the child that does not serve: %s", c.tail())
		}
	})
	at := strings.Fields(c.await(t, "serving", fmt.Sprint(c.cmd.Process.Pid)))
	c.house = house{t: t, ingress: "http://" + at[0], admin: "http://" + at[1], client: &http.Client{Transport: transport, Timeout: 2 * patience}}
	return c
}

// launchChild is startChild for a program that may not come to serve.
func launchChild(t *testing.T, dir string, env ...string) *child {
	t.Helper()
	c := &child{house: house{t: t}, dir: dir, ledger: childLedger(dir), output: new(strings.Builder)}
	c.cmd = faults.Child("TestChild", 5*time.Minute, append(env, envChild+"="+dir)...)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end(syscall.SIGKILL) })
	return c
}

// end sends a signal and waits until the process is gone.
func (c *child) end(s syscall.Signal) {
	if err := c.cmd.Process.Signal(s); errors.Is(err, os.ErrProcessDone) {
		return
	}
	_ = c.cmd.Wait() // a killed process reports its death as an error
}

// kill kills the process, which must have lived until then.
func (c *child) kill() {
	c.t.Helper()
	c.end(syscall.SIGKILL)
	if s, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGKILL {
		c.t.Errorf("the child has ended by itself: %v: %s", c.cmd.ProcessState, c.tail())
	}
}

// killed kills the process, and starts the next one.
func (c *child) killed() *child {
	c.t.Helper()
	c.kill()
	return startChild(c.t, c.dir)
}
