package actors

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// sharedLog is what a runtime has logged so far.
type sharedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestAnInvocationThatNoListByStatusShowsIsNamed removes the row by which lists
// find a suspended invocation. It goes on without that row, so its key is not
// quarantined.
func TestAnInvocationThatNoListByStatusShowsIsNamed(t *testing.T) {
	t.Parallel()
	w := &world{}
	log := &sharedLog{}
	o := Options{Services: w.services(), InactivityTimeout: -1, Logger: slog.New(slog.NewTextHandler(log, nil))}
	inBubble(t, o, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		healthy := send(b, ask("Desk", "y", "ask", "y"))
		synctest.Wait()
		r := b.record(id)
		b.damage((&machine.StatusRow{Partition: id.Partition(), Class: r.Class(), Birth: r.Birth}).Key())
		advance(2 * time.Minute)
		synctest.Wait()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		if got := log.String(); !strings.Contains(got, "lists by status") || !strings.Contains(got, id.String()) || strings.Contains(got, healthy.String()) {
			t.Errorf("the log says\n%s", got)
		}
	})
}
