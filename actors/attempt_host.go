package actors

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// Now implements objects.Host.
func (a *attempt) Now() time.Time { return a.rt.clock.Now() }

// Handler implements objects.Host.
func (a *attempt) Handler(service, handler string) (kind ident.Kind, bound bool) {
	if b := a.rt.bindings.find(service, handler); b != nil {
		return b.kind, true
	}
	return 0, false
}

// Definition implements objects.Host.
func (a *attempt) Definition(service string) objects.ServiceDefinition {
	def, _ := a.rt.Definition(service)
	return def
}

// Take implements objects.Host.
func (a *attempt) Take() []journal.Notification {
	a.mu.Lock()
	if a.stopped != 0 || a.parking || !a.feed.ready() {
		a.mu.Unlock()
		return nil
	}
	arrivals := a.feed.take()
	last := &arrivals[len(arrivals)-1]
	a.taken = last.index + 1
	a.refused = false
	a.mu.Unlock()
	notifications := make([]journal.Notification, len(arrivals))
	for i := range arrivals {
		a.observe(arrivals[i].seq)
		n, err := journal.DecodeNotification(arrivals[i].entry.Type, arrivals[i].entry.Body)
		if err != nil {
			a.unreadable(fmt.Errorf("decode entry %d of invocation %s: %w", arrivals[i].index, a.id, err))
			return nil
		}
		notifications[i] = n
	}
	return notifications
}

// Unread implements objects.Host.
func (a *attempt) Unread(signals uint32) {
	a.mu.Lock()
	a.unread, a.counted = signals, true
	a.mu.Unlock()
}

// backlog returns how many signals the handler has not taken, nil when it has
// not counted them.
func (a *attempt) backlog() *uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.counted {
		return nil
	}
	return new(a.unread + a.feed.signals)
}

// observe raises what the next closure has to wait for.
func (a *attempt) observe(seq ident.Seq) {
	for {
		old := a.observed.Load()
		if uint64(seq) <= old || a.observed.CompareAndSwap(old, uint64(seq)) {
			return
		}
	}
}

// Barrier implements objects.Host.
func (a *attempt) Barrier() objects.Verdict {
	observed := a.observed.Load()
	if a.entry.durable.Load() < observed {
		a.rt.meter.budget.waited(waitBarrier)
	}
	a.entry.barriers.await(a.rt.sched, func() bool {
		return a.muted.Load() || a.entry.durable.Load() >= observed
	})
	if a.muted.Load() || a.rt.draining.Load() {
		return objects.Unwind
	}
	return objects.Proceed
}

// ReadState implements objects.Host.
func (a *attempt) ReadState(name string) (value []byte, found bool, v objects.Verdict) {
	r := a.read(&machine.ReadState{Birth: a.birth, Epoch: a.epoch, Name: name})
	if r == nil {
		return nil, false, objects.Unwind
	}
	return r.Value, r.Found, objects.Proceed
}

// ReadStateKeys implements objects.Host.
func (a *attempt) ReadStateKeys() (names []string, v objects.Verdict) {
	r := a.read(&machine.ReadState{Birth: a.birth, Epoch: a.epoch, Keys: true})
	if r == nil {
		return nil, objects.Unwind
	}
	return r.Keys, objects.Proceed
}

// read asks the actor, behind everything that was written before. It returns
// nil when the attempt shall end.
func (a *attempt) read(ev *machine.ReadState) *machine.StateRead {
	a.flush()
	a.rt.registry.deliver(a.entry.key, a.entry.partition, ev)
	for !a.muted.Load() {
		a.mu.Lock()
		r := a.reading
		a.reading = nil
		a.mu.Unlock()
		if r != nil {
			return r
		}
		a.wake.Wait()
	}
	return nil
}

// flush posts what was kept back.
func (a *attempt) flush() {
	a.mu.Lock()
	pending := len(a.out.proposals) > 0
	a.mu.Unlock()
	if pending {
		a.post()
	}
}

// stateRead hands over the answer to read.
func (a *attempt) stateRead(r *machine.StateRead, seq ident.Seq) {
	a.observe(seq)
	a.mu.Lock()
	a.reading = r
	a.mu.Unlock()
	a.wake.Notify()
}

// announce says that a notification will arrive once it is durable.
func (a *attempt) announce(index uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.feed.announce(index)
}

// notify hands over a notification.
func (a *attempt) notify(index uint32, seq ident.Seq, e journal.Entry) {
	a.mu.Lock()
	a.feed.put(index, seq, e)
	a.refused = false
	a.mu.Unlock()
	a.wake.Notify()
}

// history returns what the handler starts from: the stored journal, and what
// was in memory when the attempt was made.
func (a *attempt) history() (*objects.Attempt, error) {
	start := a.start
	a.start = nil
	inv := &start.Invocation
	entries, err := a.rt.journal(inv.ID, inv.Birth, start.Stored, len(start.Tail))
	if err != nil {
		return nil, err
	}
	in := &objects.Attempt{
		ID: inv.ID, Birth: inv.Birth, Target: inv.Target, IdempotencyKey: inv.IdempotencyKey, RandomSeed: inv.RandomSeed,
		Alias:   inv.Alias,
		Journal: append(entries, start.Tail...), Allocated: inv.Allocated,
		LazyState: a.bound.settings.EnableLazyState, Attempts: inv.Retry.Attempts,
		MaxPayload: a.rt.options.MaxPayload, AbortTimeout: a.bound.settings.AbortTimeout,
		Logger: a.rt.attemptLogger(inv), LogReplay: a.rt.options.LogReplay,
	}
	if inv.Retry.Since != 0 {
		in.Failing = a.rt.clock.Now().Sub(time.UnixMilli(inv.Retry.Since))
	}
	if start.StateComplete || len(start.State) > 0 {
		in.StateComplete = start.StateComplete
		in.State = make(map[string][]byte, len(start.State))
		for _, v := range start.State {
			in.State[v.Name] = v.Value
		}
	}
	return in, nil
}

// journal reads the first n entries of a journal, with room for more.
func (rt *Runtime) journal(id ident.InvocationID, birth ident.Seq, n uint32, more int) ([]journal.Entry, error) {
	entries := make([]journal.Entry, 0, int(n)+more)
	if n == 0 {
		return entries, nil
	}
	p := id.Partition()
	to := machine.Key{Partition: p, Table: machine.TableJournal, A: uint64(birth) + 1}
	err := rt.options.Store.Read(func(r persistence.Reader) error {
		entries = entries[:0]
		for uint32(len(entries)) < n {
			from := machine.Key{Partition: p, Table: machine.TableJournal, A: uint64(birth), C: uint32(len(entries))}
			rows, err := r.Scan(from, to, journalSlice)
			if err != nil {
				return err
			}
			for _, row := range rows {
				j, ok := row.(*machine.JournalRow)
				if !ok || j.First != uint32(len(entries)) {
					return fmt.Errorf("journal of %s: entry %d is missing: %w", id, len(entries), machine.ErrInconsistent)
				}
				entries = append(entries, j.Entries...)
			}
			if len(rows) == 0 {
				return fmt.Errorf("journal of %s: %d of %d entries are missing: %w", id, int(n)-len(entries), n, machine.ErrInconsistent)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return entries[:n], nil
}

// journalSlice is how many journal rows are read at a time.
const journalSlice = 256

// unreadable ends an attempt whose rows cannot be read. Damage quarantines the
// key.
func (a *attempt) unreadable(err error) {
	if a.muted.Load() {
		return
	}
	a.stop(stopAborted)
	a.rt.registry.deliver(a.entry.key, a.entry.partition, &breakage{cause: err})
}

// attemptLogger returns a logger that names the invocation in every record. It
// costs nothing until something is logged.
func (rt *Runtime) attemptLogger(inv *machine.InvocationRow) *slog.Logger {
	return slog.New(&invocationHandler{inner: rt.logger.Handler(), id: inv.ID, target: inv.Target})
}

// invocationHandler adds the invocation to what is logged.
type invocationHandler struct {
	inner  slog.Handler
	id     ident.InvocationID
	target ident.Target
}

// Enabled implements slog.Handler.
func (h *invocationHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *invocationHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.named().Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *invocationHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.named().WithAttrs(attrs)
}

// WithGroup implements slog.Handler.
func (h *invocationHandler) WithGroup(name string) slog.Handler { return h.named().WithGroup(name) }

func (h *invocationHandler) named() slog.Handler {
	return h.inner.WithAttrs([]slog.Attr{slog.String("invocation", h.id.String()), slog.String("target", h.target.String())})
}
