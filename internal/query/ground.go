package query

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
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
	// Clock bounds how long a page takes; nil bounds it by rows alone.
	Clock func() time.Time
	Live  Live
}

// Bounds of a page.
const (
	maxExamined = 5000
	maxDuration = 10 * time.Millisecond
	// minExamined are looked at however slow the store is, so that every page goes
	// forward.
	minExamined = 16
)

// meter counts what a page looks at.
type meter struct {
	clock    func() time.Time
	until    time.Time
	limit    int
	examined int
}

func newMeter(at Moment) *meter {
	return newMeterOf(at, maxExamined, maxDuration)
}

func newMeterOf(at Moment, limit int, d time.Duration) *meter {
	m := &meter{clock: at.Clock, limit: limit}
	if m.clock != nil {
		m.until = m.clock().Add(d)
	}
	return m
}

// spend counts one row.
func (m *meter) spend() { m.examined++ }

// over reports whether the page has to end.
func (m *meter) over() bool {
	return m.examined >= m.limit || m.examined >= minExamined && m.clock != nil && !m.clock().Before(m.until)
}

// Paging says which page is asked for.
type Paging struct {
	Limit  int
	Cursor string
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string
	// Examined counts the rows that were looked at.
	Examined int
	// Partial says that an order has not seen everything.
	Partial bool
}

// ErrCursor is the error of a cursor that was not given out for the list and the
// filter that it comes with.
var ErrCursor = errors.New("the cursor does not belong to this list and these filters: leave it out to begin again")

type cursorText struct {
	V int
	L string
	H uint64
	P []string
}

func filterHash(f any) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%#v", f)
	return h.Sum64()
}

// seal writes a cursor.
func (p Paging) seal(list string, filter any, position ...string) string {
	b, _ := json.Marshal(cursorText{1, list, filterHash(filter), position})
	return base64.RawURLEncoding.EncodeToString(b)
}

// position reads the cursor: n parts, which are empty for the first page.
func (p Paging) position(list string, filter any, n int) ([]string, error) {
	if p.Cursor == "" {
		return make([]string, n), nil
	}
	var c cursorText
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.V != 1 || c.L != list || c.H != filterHash(filter) || len(c.P) != n {
		return nil, ErrCursor
	}
	return c.P, nil
}

// get reads one row.
func get[T machine.Row](r persistence.Reader, m *meter, key machine.Key) (row T, err error) {
	m.spend()
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
