package actors

import (
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
)

// wondering lets others ask what a handler waits for while it waits in memory. What
// the handler would say comes from its story, which nobody touches while the
// handler is blocked; so a question is answered under the lock that the handler has
// to take before it goes on.
type wondering struct {
	mu sync.Mutex
	// describe is set while the handler waits, since.
	describe awaiting
	since    int64
}

// begin says that the handler is blocked from now on.
func (w *wondering) begin(describe awaiting, since int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.describe, w.since = describe, since
}

// end says that it goes on. It waits for a question that is being answered.
func (w *wondering) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.describe = nil
}

// live returns what the attempt is doing. It may be called by anyone.
func (a *attempt) live() query.LiveAttempt {
	l := query.LiveAttempt{Running: a.started()}
	a.mu.Lock()
	l.Signals = a.handedOut
	a.mu.Unlock()
	a.wondering.mu.Lock()
	defer a.wondering.mu.Unlock()
	if describe := a.wondering.describe; describe != nil && l.Running {
		await, allocated := describe()
		l.Awaiting, l.Since = await, a.wondering.since
		l.Signals = max(l.Signals, allocated.Signals)
	}
	return l
}

// liveAttempts answers query.Live.
type liveAttempts struct{ *attempts }

// Attempt implements query.Live.
func (t liveAttempts) Attempt(inv *machine.InvocationRow) (live query.LiveAttempt, found bool) {
	if inv.Status != machine.StatusReady {
		return live, false
	}
	a := t.get(inv.Birth, inv.Epoch)
	if a == nil {
		return live, false
	}
	return a.live(), true
}

// Shared implements query.Live. It looks at every attempt, of which there are not
// many more than Options.MaxLiveActors.
func (t liveAttempts) Shared(key ident.ObjectKey) (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, a := range s.byID {
			if a.target.Kind == ident.KindShared && a.target.Key == key.Key && a.target.Service == key.Service && a.started() {
				n++
			}
		}
		s.mu.Unlock()
	}
	return n
}
