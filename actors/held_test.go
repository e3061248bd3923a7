package actors

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// held is a disk that waits for the test: a commit takes a token before it is
// durable and another one before anyone hears of it.
type held struct {
	before, after chan struct{}
	once          sync.Once
}

// hold holds every commit from now on.
func (b *bench) hold() *held {
	h := &held{before: make(chan struct{}), after: make(chan struct{})}
	b.store.SetHooks(persistence.Hooks{
		BeforeCommit: func([]*persistence.Batch, persistence.Marks) error { <-h.before; return nil },
		AfterCommit:  func([]*persistence.Batch, persistence.Marks) error { <-h.after; return nil },
	})
	return h
}

// release lets this and every later commit go.
func (h *held) release() {
	h.once.Do(func() {
		close(h.before)
		close(h.after)
	})
	synctest.Wait()
}

// commit lets one commit go. It returns when the next one, if there is any, is
// held before it is durable.
func (h *held) commit() {
	h.write()
	h.after <- struct{}{}
	synctest.Wait()
}

// write lets one commit become durable, and holds it there: nobody has heard.
func (h *held) write() {
	h.before <- struct{}{}
	synctest.Wait()
}

// crashHeld is crash while a commit is held. prepare is given the store that
// the next process opens; it may be nil.
func (b *bench) crashHeld(h *held, prepare func(*persistence.Memory)) {
	b.t.Helper()
	next := b.store.Crash()
	h.once.Do(func() {
		close(h.before)
		close(h.after)
	})
	if err := b.rt.Close(); err != nil && !errors.Is(err, persistence.ErrClosed) {
		b.t.Logf("close after the crash: %v", err)
	}
	if prepare != nil {
		prepare(next)
	}
	b.store = next
	b.open()
}

// reply is what a request got.
type reply struct {
	name   string
	result string
}

// replies are requests under way.
type replies struct {
	b   *bench
	mu  sync.Mutex
	got []reply
	all sync.WaitGroup
}

// ask does a request on a goroutine of its own and returns when nothing moves
// any more.
func (r *replies) ask(name string, request func() (string, error)) {
	r.all.Go(func() {
		result, err := request()
		if err != nil {
			result = "error: " + err.Error()
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, reply{name, result})
	})
	synctest.Wait()
}

// early returns the names of those that are answered.
func (r *replies) early() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, got := range r.got {
		names = append(names, got.name)
	}
	return names
}

// wait returns what all of them got, sorted by name.
func (r *replies) wait() []reply {
	r.all.Wait()
	slices.SortFunc(r.got, func(a, b reply) int { return cmp.Compare(a.name, b.name) })
	return r.got
}

func (r *replies) send(q Request) (string, error) {
	a, err := r.b.rt.Send(r.b.t.Context(), q)
	if a.Previously {
		return "previously", err
	}
	return "accepted", err
}

func (r *replies) signal(id ident.AwakeableID, value string) (string, error) {
	o, err := r.b.rt.Signal(r.b.t.Context(), id.Invocation, signalOf(id), valueOf(value))
	return o.String(), err
}

func shown(r journal.Result) string {
	if r.Kind == journal.ResultFailure {
		return r.Failure.Message
	}
	return string(r.Value)
}

// newBench is inBubble for a test that makes its channels inside the bubble.
func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t, options: o, store: persistence.NewMemory().(*persistence.Memory)}
	b.open()
	return b
}

// rowsOf counts the rows of a table on disk.
func rowsOf(t *testing.T, store persistence.Store, table machine.Table) (n int) {
	t.Helper()
	err := store.Read(func(r persistence.Reader) error {
		for p := range ident.Partition(ident.Partitions) {
			rows, err := r.Scan(machine.Key{Partition: p, Table: table}, machine.Key{Partition: p, Table: table, A: 1<<64 - 1}, 1000)
			if err != nil {
				return err
			}
			n += len(rows)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
