package actors

import (
	"context"
	"errors"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of the report of what is stuck.
const (
	// stuckPages is how many pages of invocations start-up looks at for each of
	// its warnings, stuckPage how many are on one.
	stuckPages = 100
	stuckPage  = query.MaxLimit
	// stuckNamed is how many invocations a warning names.
	stuckNamed = 10
)

// stuck counts invocations and remembers the first of them.
type stuck struct {
	count int
	ids   []string
	// partial says that not all were looked at.
	partial bool
}

func (s *stuck) add(row *machine.InvocationRow) {
	s.count++
	if len(s.ids) < stuckNamed {
		s.ids = append(s.ids, row.ID.String())
	}
}

// warn logs a warning, when there is something to warn of.
func (s *stuck) warn(r *recovery, message string, more ...any) {
	if s.count == 0 {
		return
	}
	args := append([]any{"invocations", s.count, "some", s.ids}, more...)
	if s.partial {
		args = append(args, "partial", true)
	}
	r.rt.logger.Warn(message, args...)
}

// reportStuck warns once of what does not go on by itself: invocations that are
// paused, and those whose handler this build does not bind. Nobody else would
// say so to whoever has just deployed it. A report that cannot be made is no
// reason to end.
func (r *recovery) reportStuck() {
	paused, err := r.look(query.StatusOf(machine.StatusPaused), func(*machine.InvocationRow) bool { return true })
	if err == nil {
		paused.warn(r, "invocations are paused: they keep their keys until they are resumed, cancelled or killed")
		err = r.reportUnbound()
	}
	if err != nil && !errors.Is(err, persistence.ErrClosed) && !r.over() {
		r.rt.logger.Warn("cannot look for invocations that are stuck", "error", err)
	}
}

// reportUnbound leaves out what is queued: it stands behind one that is not.
func (r *recovery) reportUnbound() error {
	targets := map[string]int{}
	unbound, err := r.look(query.Running|query.StatusOf(machine.StatusReady)|query.StatusOf(machine.StatusScheduled)|
		query.StatusOf(machine.StatusSuspended)|query.StatusOf(machine.StatusBackingOff)|query.StatusOf(machine.StatusPaused),
		func(row *machine.InvocationRow) bool {
			b := r.rt.bindings.find(row.Target.Service, row.Target.Handler)
			if b != nil && b.kind == row.Target.Kind {
				return false
			}
			if name := row.Target.Service + "/" + row.Target.Handler; len(targets) < stuckNamed || targets[name] > 0 {
				targets[name]++
			}
			return true
		})
	if err != nil {
		return err
	}
	unbound.warn(r, "invocations wait for handlers that are not bound in this build, or not in their kind: they go on with a build that binds them", "handlers", targets)
	return nil
}

// look collects the invocations in some statuses of which a claim holds, oldest
// first, with a pause after each page.
func (r *recovery) look(statuses query.Statuses, claim func(*machine.InvocationRow) bool) (s stuck, err error) {
	f := query.InvocationFilter{Statuses: statuses, OldestFirst: true, Limit: stuckPage}
	for range stuckPages {
		if r.over() {
			return stuck{}, nil
		}
		page, err := r.rt.Invocations(context.Background(), f)
		if err != nil {
			return stuck{}, err
		}
		for i := range page.Items {
			if row := &page.Items[i].Row; claim(row) {
				s.add(row)
			}
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return s, nil
		}
		r.rt.nap(&r.loop, recoveryPause)
	}
	s.partial = true
	return s, nil
}
