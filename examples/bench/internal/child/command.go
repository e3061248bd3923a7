package child

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// grace is how long a program has to end in order before it is killed.
const grace = 10 * time.Second

// attributes put a program into a group of its own, so that an interrupt from the
// terminal reaches it only through the one that started it, and let it die with
// that one whatever happens.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Command is a program that ends by itself, and before that when ctx ends: in
// order first, then by force.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr, cmd.WaitDelay = attributes(), grace
	cmd.Cancel = func() error { return signal(cmd, syscall.SIGTERM) }
	return cmd
}

// signal reaches a program that has not been waited for, and what it has started in
// its group, once each: a second one would end it at once.
func signal(cmd *exec.Cmd, s syscall.Signal) error {
	if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
		return err
	}
	return syscall.Kill(-cmd.Process.Pid, s)
}

// Reason is why ctx has ended, or err if it goes on. A program that has just
// ended is first noticed by what it no longer answers; so this waits a moment.
func Reason(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(200 * time.Millisecond):
		return err
	}
}

// Sleep waits, unless ctx ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// exit says how a program has ended.
func exit(err error) string {
	var e *exec.ExitError
	switch {
	case err == nil:
		return "exit status 0"
	case errors.As(err, &e):
		return e.Error()
	default:
		return err.Error()
	}
}
