package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/faults"
)

// TestACommandThatWaitsForItsInputEndsWhenItIsTold: a FIFO that nobody opens for writing,
// and a standard input that says nothing.
func TestACommandThatWaitsForItsInputEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	silent, _ := io.Pipe()
	for want, args := range map[int][][]string{
		exitFailed: {{"restore", fifo, filepath.Join(dir, "data")}, {"restore", "-", filepath.Join(dir, "data")}},
		exitCannot: {{"check", fifo}, {"check", "-"}},
	} {
		for _, args := range args {
			ctx, cancel := context.WithCancelCause(t.Context())
			ended := make(chan int, 1)
			var errs bytes.Buffer
			go func() { ended <- run(ctx, console{in: silent, out: io.Discard, err: &errs}, args) }()
			cancel(errors.New("it was told to"))
			select {
			case status := <-ended:
				if status != want || !strings.Contains(errs.String(), "it was told to") {
					t.Errorf("%v ends with %d: %s", args, status, &errs)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%v does not end", args)
			}
		}
	}
	if left := entries(t, dir); left != "fifo" {
		t.Errorf("left are %s", left)
	}
}

// TestACheckEndsWhenItIsTold, and leaves nothing behind.
func TestACheckEndsWhenItIsTold(t *testing.T) {
	temp, dir := t.TempDir(), used(t)
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("it was told to"))
	var out, errs bytes.Buffer
	if status := run(ctx, console{out: &out, err: &errs}, []string{"check", dir}); status != exitCannot || !strings.Contains(errs.String(), "it was told to") {
		t.Errorf("it ends with %d: %s%s", status, &out, &errs)
	}
	if left := entries(t, temp); left != "" {
		t.Errorf("left are %s", left)
	}
}

// TestABackupEndsWithItsTerminal, and leaves nothing behind: what hangs up is no kill.
// Under nohup it goes on.
func TestABackupEndsWithItsTerminal(t *testing.T) {
	const envBackup = "DORMOUSE_TEST_HANG_UP"
	if file := os.Getenv(envBackup); file != "" {
		ctx, stop := untilTold()
		defer stop()
		os.Exit(run(ctx, console{out: os.Stdout, err: os.Stderr}, []string{"backup", "-admin", os.Getenv(envAdmin), file}))
	}
	t.Parallel()
	// A child inherits what is ignored, as it is when these tests run under nohup, but
	// nothing that is handled.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	for _, nohup := range []bool{false, true} {
		dir := t.TempDir()
		asked, answer := make(chan struct{}), make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(asked)
			<-answer
		}))
		cmd := faults.Child("TestABackupEndsWithItsTerminal", time.Minute, envBackup+"="+filepath.Join(dir, "backup"), envAdmin+"="+server.URL)
		if nohup {
			cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, cmd.Args...)
		}
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-asked
		if got := entries(t, dir); got != "backup.partial" {
			t.Errorf("there are %q while it waits", got)
		}
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		want := "hangup"
		if nohup { // then it ends by the answer, which is no backup
			close(answer)
			want = "without its end"
		}
		err := cmd.Wait()
		if !nohup {
			close(answer)
		}
		server.Close()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(said.String(), want) {
			t.Errorf("nohup %v: it ends with %v: %s", nohup, err, &said)
		}
		if left := entries(t, dir); left != "" {
			t.Errorf("nohup %v: left are %s", nohup, left)
		}
	}
}

// TestABackupToAClosedOutputFails: the runtime of Go puts the null device in the place of
// what is closed.
func TestABackupToAClosedOutputFails(t *testing.T) {
	const envClosed = "DORMOUSE_TEST_CLOSED_OUTPUT"
	if url := os.Getenv(envClosed); url != "" {
		os.Exit(run(t.Context(), console{out: os.Stdout, err: os.Stderr}, []string{"backup", "-admin", url, "-"}))
	}
	t.Parallel()
	b := openBank(t, t.TempDir())
	child := faults.Child("TestABackupToAClosedOutputFails", time.Minute, envClosed+"="+b.admin)
	cmd := exec.Command("sh", append([]string{"-c", `exec "$@" >&-`, "sh"}, child.Args...)...)
	cmd.Env = child.Env
	said, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(string(said), "standard output is closed") {
		t.Errorf("it ends with %v: %s", err, said)
	}
}
