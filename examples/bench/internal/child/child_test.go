package child

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// process is one whose unwanted end arrives at the channel.
func process(t *testing.T, args ...string) (*Process, chan error) {
	t.Helper()
	ended := make(chan error, 1)
	p := &Process{Name: "server", Args: args, Log: filepath.Join(t.TempDir(), "log"), Ended: func(err error) { ended <- err }}
	t.Cleanup(p.Kill)
	return p, ended
}

func start(t *testing.T, p *Process) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEndThatNobodyWantedIsTold(t *testing.T) {
	t.Parallel()
	p, ended := process(t, "sh", "-c", "echo old; echo address already in use; exit 3")
	for range 2 { // the second time the log of the first is there and is not shown
		start(t, p)
		text := (<-ended).Error()
		if !strings.Contains(text, "server (sh -c") || !strings.Contains(text, "exit status 3") || strings.Count(text, "\taddress already in use") != 1 {
			t.Error(text)
		}
	}
	silent, ended := process(t, "false")
	start(t, silent)
	if text := (<-ended).Error(); !strings.Contains(text, "exit status 1; it has written nothing") {
		t.Error(text)
	}
}

func TestAWantedEndIsNotTold(t *testing.T) {
	t.Parallel()
	p, ended := process(t, "sleep", "60")
	start(t, p)
	first := p.PID()
	p.Kill()
	p.Kill()
	if p.PID() != "" {
		t.Error("it still runs")
	}
	start(t, p)
	if second := p.PID(); first == "" || second == "" || first == second {
		t.Errorf("processes %q and %q", first, second)
	}
	p.Kill()
	select {
	case err := <-ended:
		t.Error(err)
	default:
	}
}

// It does not run beside the others, whose programs hold the listener between
// fork and exec.
func TestAProcessIsNotStartedWhereAnotherListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := process(t, "sleep", "60")
	p.Listens = []string{l.Addr().String()}
	if err := p.Start(); err == nil || !strings.Contains(err.Error(), "something listens on "+l.Addr().String()+" already") {
		t.Errorf("error %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, p)
}

func TestAProgramThatIsNotThereIsTold(t *testing.T) {
	t.Parallel()
	p, _ := process(t, filepath.Join(t.TempDir(), "bench"))
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "go build") {
		t.Errorf("error %v", err)
	}
}

func TestACommandEndsWithItsContext(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cmd := Command(ctx, "sh", "-c", "sleep 60; true")
	begin := time.Now()
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	err := cmd.Run()
	if time.Since(begin) > 5*time.Second || err == nil {
		t.Errorf("it ended after %v with %v", time.Since(begin), err)
	}
	if !errors.Is(Reason(ctx, err), why) || !errors.Is(Sleep(ctx, time.Hour), why) {
		t.Error("the reason is lost")
	}
}
