package actors

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) with(text ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		all := true
		for _, s := range text {
			all = all && strings.Contains(line, s)
		}
		if all {
			return true
		}
	}
	return false
}

func TestFailedAttemptsAreLoggedUntilTheInvocationIsPaused(t *testing.T) {
	t.Parallel()
	log := &lines{}
	failing := restate.NewObject("Failing", restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(2))).
		Handler("fail", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (restate.Void, error) {
			return restate.Void{}, errors.New("the printer is on fire")
		})).
		Handler("panic", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (restate.Void, error) {
			panic("out of paper")
		}))
	o := Options{Services: []restate.ServiceDefinition{failing}, Logger: slog.New(slog.NewTextHandler(log, nil))}
	inBubble(t, o, func(t *testing.T, b *bench) {
		id := send(b, ask("Failing", "a", "fail", nil)).String()
		send(b, ask("Failing", "b", "panic", nil))
		advance(time.Minute)
		synctest.Wait()
		if !log.with("level=WARN", id, "Failing/a/fail", "attempt=1", "the printer is on fire", "next=") {
			t.Error("the first failure is not logged as a warning")
		}
		if !log.with("level=ERROR", id, "attempt=2", "paused") {
			t.Error("the pause is not logged as an error")
		}
		if !log.with("level=WARN", "out of paper", "report_test.go") {
			t.Error("the stack of a panic is not logged")
		}
	})
}
