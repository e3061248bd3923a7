package persistence

import (
	"log/slog"
	"os/exec"
	"testing"
)

// TestAStoreIsFreeOnceItIsClosedAlsoWhileChildrenAreStarted closes and opens a
// store while the process starts others. A child has the lock for a moment,
// between the fork and the start of its program.
func TestAStoreIsFreeOnceItIsClosedAlsoWhileChildrenAreStarted(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("true")
	if err != nil {
		t.Skip("there is no program to start")
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.Command(program).Run()
			}
		}
	}()
	dir := t.TempDir()
	for range 300 {
		o, err := acquire(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.release(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-ended
	s, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
