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

// Signal implements objects.Host.
func (a *attempt) Signal() objects.HostSignal { return a.rt.sched.Signal() }

// AfterFunc implements objects.Host.
func (a *attempt) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	return a.rt.clock.base.AfterFunc(d, fn)
}

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
	a.arm()
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
	a.rouse()
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
	a.rouse()
}

// history reads what the handler starts from: the stored journal, and what was
// in memory when the attempt was made.
func (a *attempt) history() error {
	start := a.start
	a.start = nil
	entries, err := a.rt.journal(start.ID, start.Birth, start.Stored, start.Tail)
	if err != nil {
		return err
	}
	a.log = *slog.New((*attemptLog)(a))
	a.in = objects.Attempt{
		ID: start.ID, Birth: start.Birth, Target: start.Target, IdempotencyKey: start.IdempotencyKey, RandomSeed: start.RandomSeed,
		Alias: start.Alias, Journal: entries, Allocated: start.Allocated,
		State: stateOf(start.State), StateComplete: start.StateComplete,
		LazyState: a.bound.settings.EnableLazyState, Attempts: start.Retry.Attempts,
		MaxPayload: a.rt.options.MaxPayload, AbortTimeout: a.bound.settings.AbortTimeout,
		Logger: &a.log, LogReplay: a.rt.options.LogReplay,
	}
	if start.Retry.Since != 0 {
		a.in.Failing = a.rt.clock.Now().Sub(time.UnixMilli(start.Retry.Since))
	}
	return nil
}

// stateOf puts values into the words of package objects. They are sorted.
func stateOf(values []machine.StateValue) []objects.StateValue {
	if len(values) == 0 {
		return nil
	}
	state := make([]objects.StateValue, len(values))
	for i := range values {
		state[i] = objects.StateValue(values[i])
	}
	return state
}

// journal reads the first n entries of a journal, and returns them with tail
// behind them.
func (rt *Runtime) journal(id ident.InvocationID, birth ident.Seq, n uint32, tail []journal.Entry) ([]journal.Entry, error) {
	if n == 0 {
		return tail, nil
	}
	entries := make([]journal.Entry, 0, int(n)+len(tail))
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
	return append(entries[:n], tail...), nil
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

// attemptLog is the attempt as a handler of logs, which names the invocation in
// every record. It costs nothing until something is logged.
type attemptLog attempt

// Enabled implements slog.Handler.
func (l *attemptLog) Enabled(ctx context.Context, level slog.Level) bool {
	return l.rt.logger.Handler().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l *attemptLog) Handle(ctx context.Context, r slog.Record) error {
	return l.named().Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l *attemptLog) WithAttrs(attrs []slog.Attr) slog.Handler { return l.named().WithAttrs(attrs) }

// WithGroup implements slog.Handler.
func (l *attemptLog) WithGroup(name string) slog.Handler { return l.named().WithGroup(name) }

func (l *attemptLog) named() slog.Handler {
	return l.rt.logger.Handler().WithAttrs([]slog.Attr{slog.String("invocation", l.id.String()), slog.String("target", l.target.String())})
}
