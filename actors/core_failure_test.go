package actors

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAPanicOfTheCoreTellsItsStackToTheLogAndNotToCallers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var armed atomic.Bool
	w := &world{}
	o := Options{Services: w.services(), Logger: slog.New(slog.NewTextHandler(&log, nil))}
	o.trace = func(p Point) {
		if p == PointApplied && armed.CompareAndSwap(true, false) {
			panic("two and two is five")
		}
	}
	inBubble(t, o, func(t *testing.T, b *bench) {
		armed.Store(true)
		_, err := b.rt.Call(t.Context(), ask("Counter", "a", "add", 1))
		var quarantined *QuarantinedError
		if !errors.As(err, &quarantined) || !strings.Contains(err.Error(), "two and two is five") {
			t.Fatalf("the caller gets %v", err)
		}
		if strings.Contains(err.Error(), "goroutine") || strings.Contains(err.Error(), ".go:") {
			t.Errorf("the caller sees a stack: %v", err)
		}
	})
	if text := log.String(); !strings.Contains(text, "core_failure_test.go") {
		t.Errorf("the log has no stack: %s", text)
	}
}
