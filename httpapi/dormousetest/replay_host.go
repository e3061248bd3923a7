package dormousetest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	restate "github.com/dormouse-run/dormouse/objects"
)

// replayHost is the host of an attempt that ends with its journal: whatever goes
// beyond is noted and not done. Everything that has arrived stands in the
// journal, so nothing comes through the feed.
type replayHost struct {
	services map[string]restate.ServiceDefinition
	// now is the time of the last entry.
	now time.Time
	ctx context.Context
	// open names the runs of the journal that have no result.
	open string

	mu sync.Mutex
	// next is the first thing beyond the journal.
	next Step
}

var _ restate.Host = (*replayHost)(nil)

func newReplayHost(services []restate.ServiceDefinition, entries []journal.Entry) *replayHost {
	h := &replayHost{services: map[string]restate.ServiceDefinition{}, ctx: context.Background()}
	for _, s := range services {
		h.services[s.Name()] = s
	}
	h.now, h.open = time.UnixMilli(entries[len(entries)-1].At), openRuns(entries)
	return h
}

// openRuns names the runs that have no result.
func openRuns(entries []journal.Entry) string {
	done := map[uint32]bool{}
	for _, e := range entries {
		if n, err := journal.DecodeNotification(e.Type, e.Body); err == nil {
			done[n.ID.Completion] = true
		}
	}
	var names []string
	for _, e := range entries {
		if e.Type != journal.TypeRun {
			continue
		}
		c, err := journal.DecodeCommand(e.Type, e.Body)
		if run, ok := c.(*journal.Run); err == nil && ok && !done[run.Completion] {
			names = append(names, run.Name)
		}
	}
	return strings.Join(names, ", ")
}

// first returns what was noted.
func (h *replayHost) first() Step {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

// note keeps the first step beyond the journal, and ends the attempt.
func (h *replayHost) note(s Step) restate.Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next.Kind == 0 {
		h.next = s
	}
	return restate.Unwind
}

// Context implements restate.Host.
func (h *replayHost) Context() context.Context { return h.ctx }

// Now implements restate.Host.
func (h *replayHost) Now() time.Time { return h.now }

// Handler implements restate.Host.
func (h *replayHost) Handler(service, handler string) (kind ident.Kind, bound bool) {
	if s := h.services[service]; s != nil {
		if found, ok := s.Handlers()[handler]; ok {
			return found.Kind(), true
		}
	}
	return 0, false
}

// Definition implements restate.Host.
func (h *replayHost) Definition(service string) restate.ServiceDefinition {
	return h.services[service]
}

// Append implements restate.Host.
func (h *replayHost) Append(c journal.Command, _ journal.Allocated) restate.Verdict {
	return h.note(stepOf(c))
}

// Take implements restate.Host.
func (h *replayHost) Take() []journal.Notification { return nil }

func (h *replayHost) Unread(uint32) {}

// Wait implements restate.Host.
func (h *replayHost) Wait(_ bool, wait func() (*journal.Future, journal.Allocated)) restate.Verdict {
	await, _ := wait()
	return h.note(Step{Kind: StepWait, Name: await.String()})
}

// Wake implements restate.Host.
func (h *replayHost) Wake() {}

// ReadState implements restate.Host.
func (h *replayHost) ReadState(name string) (value []byte, found bool, v restate.Verdict) {
	return nil, false, h.note(Step{Kind: StepRead, Name: name})
}

// ReadStateKeys implements restate.Host.
func (h *replayHost) ReadStateKeys() (names []string, v restate.Verdict) {
	return nil, h.note(Step{Kind: StepRead, Name: "all names"})
}

// Barrier implements restate.Host.
func (h *replayHost) Barrier() restate.Verdict { return restate.Unwind }

// Propose implements restate.Host.
func (h *replayHost) Propose(uint32, journal.Result) {}

// Go implements restate.Host: it does not run fn, which is the closure of a Run.
func (h *replayHost) Go(string, func()) { h.note(Step{Kind: StepRun, Name: h.open}) }

// Signal implements restate.Host. Nothing waits: no closure runs.
func (h *replayHost) Signal() restate.HostSignal { return new(actors.Goroutines).Signal() }

// AfterFunc implements restate.Host.
func (h *replayHost) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	return actors.SystemClock{}.AfterFunc(d, fn)
}
