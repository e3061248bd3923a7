package query

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Moment is when a question is asked, and what the process knows beside the store.
type Moment struct {
	// Now is the time of the runtime, in milliseconds since the epoch.
	Now int64
	// Clock measures how long a page takes; nil is time.Now.
	Clock func() time.Time
	// Live knows what runs; nil when nothing does.
	Live Live
	// Plain reports whether a service is bound as one without keys; nil when
	// nothing is bound.
	Plain func(service string) bool
}

// meter paces a walk: it ends with the budget, but not before some steps were
// made, however late it is, so that every page gets on.
type meter struct {
	*Budget
	walked int
}

func newMeter(at Moment) *meter { return &meter{Budget: NewBudget(at.Clock)} }

// newCount returns a meter that counts and has no time.
func newCount() *meter { return &meter{Budget: newBudget(nil, MaxSteps, 0)} }

// over ends one step of the walk, and reports whether it was the last one.
func (m *meter) over() bool {
	m.walked++
	return m.Left() == 0 || m.walked >= minWalk && m.Late()
}

// Paging says which page of a list is asked for. The zero value is the first page,
// with DefaultLimit items.
type Paging struct {
	// Limit is how many items the page has at most, 1 to MaxLimit.
	Limit int
	// Cursor is the Next of the page before, "" for the first one.
	Cursor string
}

// begin reads the limit and the position of a page, whose n parts are empty for
// the first one.
func (p Paging) begin(list, filter string, n int) (limit int, parts []string, err error) {
	if limit, err = Limit(p.Limit); err != nil {
		return 0, nil, err
	}
	b, err := DecodeCursor(p.Cursor, list, filter)
	if b == nil || err != nil {
		return limit, make([]string, n), err
	}
	for len(b) > 0 {
		size, used := binary.Uvarint(b)
		if used <= 0 || size > uint64(len(b)-used) {
			return 0, nil, ErrCursor
		}
		b = b[used:]
		parts = append(parts, string(b[:size]))
		b = b[size:]
	}
	if len(parts) != n {
		return 0, nil, ErrCursor
	}
	return limit, parts, nil
}

// seal returns the cursor of a position.
func seal(list, filter string, parts ...string) string {
	var b []byte
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return EncodeCursor(list, filter, b)
}

// get reads one row.
func get[T machine.Row](r persistence.Reader, m *meter, key machine.Key) (row T, err error) {
	m.Spend(1)
	found, err := r.Get(key)
	if found == nil || err != nil {
		return row, err
	}
	row, ok := found.(T)
	if !ok {
		return row, fmt.Errorf("a row of table %q is a %T: %w", byte(key.Table), found, machine.ErrInconsistent)
	}
	return row, nil
}

func readInvocation(r persistence.Reader, m *meter, p ident.Partition, birth ident.Seq) (*machine.InvocationRow, error) {
	return get[*machine.InvocationRow](r, m, machine.Key{Partition: p, Table: machine.TableInvocation, A: uint64(birth)})
}

// Live is what the process knows of attempts in memory. Its methods may be called
// concurrently.
type Live interface {
	// Attempt returns what is known of the attempt of an invocation, and false when
	// there is none in memory.
	Attempt(inv *machine.InvocationRow) (LiveAttempt, bool)
	// Shared counts the shared invocations of a key that run.
	Shared(key ident.ObjectKey) int
}

// LiveAttempt is what an attempt in memory is doing.
type LiveAttempt struct {
	// Running says that its handler has started.
	Running bool
	// Awaiting is what its handler waits for, nil when it does not wait, and Since
	// when it began to, in milliseconds since the epoch.
	Awaiting *journal.Future
	Since    int64
	// Signals is how many signal indexes it has handed out, as far as it is known.
	Signals uint32
}
