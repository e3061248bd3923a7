package query

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// begin is when the first invocation of a crowd is created.
const begin = 1_700_000_000_000

// crowd is a store full of invocations, and the same as a list.
type crowd struct {
	t     testing.TB
	store persistence.Store
	rng   *rand.Rand
	seed  uint64
	rows  map[ident.Seq]*machine.InvocationRow
	now   int64
	count uint64
	// running are the ready ones that a process runs.
	running map[ident.Seq]bool
	// late says that the time of a page is over when it begins.
	late bool
}

func newCrowd(t testing.TB, store persistence.Store) *crowd {
	seed := rand.Uint64()
	return &crowd{t: t, store: store, seed: seed, rng: rand.New(rand.NewPCG(seed, 3)), rows: map[ident.Seq]*machine.InvocationRow{}, now: begin, running: map[ident.Seq]bool{}}
}

// pick returns one of some things.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// writes returns the rows of an invocation, as the machine would write them.
func writes(row *machine.InvocationRow, queuedAt int64) (all []machine.Write) {
	p, object := row.ID.Partition(), ident.ObjectKeyOf(row.Target, row.ID)
	all = append(all, put(row), put(&machine.IDRow{ID: row.ID, Birth: row.Birth, Object: object}))
	if class := row.Class(); class != 0 {
		all = append(all, put(&machine.StatusRow{Partition: p, Class: class, Birth: row.Birth}))
	}
	switch row.Status {
	case machine.StatusReady:
		all = append(all, put(&machine.ActiveRow{Partition: p, Birth: row.Birth, ID: row.ID, Object: object}))
	case machine.StatusPending:
		all = append(all, put(&machine.InboxRow{Partition: p, Object: object.ID(), Seq: row.InboxSeq, Birth: row.Birth, ID: row.ID, QueuedAt: queuedAt}))
	}
	return all
}

// add creates n invocations at random.
func (c *crowd) add(n int) {
	var all []machine.Write
	for range n {
		row := c.one()
		c.rows[row.Birth] = row
		all = append(all, writes(row, row.CreatedAt+1)...)
	}
	commit(c.t, c.store, all...)
}

func (c *crowd) one() *machine.InvocationRow {
	c.count++
	c.now += int64(c.rng.IntN(30_000))
	target := ident.Target{Service: pick(c.rng, "Counter", "Account"), Key: fmt.Sprint(c.rng.IntN(40)), Handler: pick(c.rng, "add", "get"), Kind: ident.KindExclusive}
	if c.rng.IntN(4) == 0 {
		target = ident.Target{Service: "Mail", Handler: "send", Kind: ident.KindService}
	}
	var random [16]byte
	for i := range random {
		random[i] = byte(c.rng.Uint32())
	}
	birth := ident.NewSeq(uint32(1+c.count/300), c.count)
	row := &machine.InvocationRow{
		Birth: birth, ID: ident.RandomID(target, uint16(c.rng.IntN(512)), random), Target: target, CreatedAt: c.now,
		Status: pick(c.rng, machine.StatusScheduled, machine.StatusPending, machine.StatusReady, machine.StatusSuspended,
			machine.StatusBackingOff, machine.StatusPaused, machine.StatusCompleted, machine.StatusCompleted),
		InvokedBy: pick(c.rng, machine.ByIngress, machine.ByService), IssuedAwakeables: c.rng.IntN(2) == 0,
	}
	if c.rng.IntN(10) == 0 {
		row.IdempotencyKey = fmt.Sprint("ik-", c.count)
		row.ID = ident.IdempotentID(target, row.IdempotencyKey)
	}
	if row.InvokedBy == machine.ByService {
		row.Caller.ID = callerID(c.rng.IntN(3))
	}
	switch row.Status {
	case machine.StatusPending:
		if !target.Keyed() {
			row.Status = machine.StatusReady
			break
		}
		row.InboxSeq = birth
	case machine.StatusCompleted:
		row.Result = pick(c.rng, journal.VoidResult(), journal.ValueOf([]byte("out")), journal.FailureOf(500, "broken"))
	}
	c.running[birth] = row.Status == machine.StatusReady && c.rng.IntN(2) == 0
	return row
}

func callerID(n int) ident.InvocationID { return ident.NewInvocationID(7, [16]byte{1, byte(n)}) }

// remove forgets an invocation.
func (c *crowd) remove(birth ident.Seq) {
	row := c.rows[birth]
	delete(c.rows, birth)
	var all []machine.Write
	for _, w := range writes(row, 0) {
		all = append(all, machine.Write{Delete: w.Put.Key()})
	}
	commit(c.t, c.store, all...)
}

func (c *crowd) moment() Moment {
	at := time.Time{}
	clock := func() time.Time {
		if c.late {
			at = at.Add(time.Second)
		}
		return at
	}
	return Moment{
		Now: c.now, Clock: clock, Live: crowdLive{c},
		Plain: func(service string) bool { return service == "Mail" },
	}
}

// crowdLive runs what the crowd says.
type crowdLive struct{ c *crowd }

func (l crowdLive) Attempt(r *machine.InvocationRow) (LiveAttempt, bool) {
	return LiveAttempt{Running: l.c.running[r.Birth]}, l.c.running[r.Birth]
}

func (l crowdLive) Shared(ident.ObjectKey) int { return 0 }

// want returns the births that a list should show, in order, by looking at all.
func (c *crowd) want(f InvocationFilter) (births []ident.Seq) {
	for birth, row := range c.rows {
		switch {
		case f.Service != "" && row.Target.Service != f.Service, f.Handler != "" && row.Target.Handler != f.Handler,
			f.Key != nil && (row.Target.Service == "Mail" || row.Target.Key != *f.Key),
			f.IdempotencyKey != "" && row.IdempotencyKey != f.IdempotencyKey,
			f.InvokedBy != 0 && row.InvokedBy != f.InvokedBy, f.CallerID != (ident.InvocationID{}) && row.Caller.ID != f.CallerID,
			row.CreatedAt < f.CreatedAfter, f.CreatedBefore != 0 && row.CreatedAt >= f.CreatedBefore,
			c.now-row.CreatedAt < f.MinAge.Milliseconds():
			continue
		}
		status := StatusOf(row.Status)
		if c.running[birth] {
			status = Running
		}
		if f.Statuses != 0 && f.Statuses&status == 0 {
			continue
		}
		failed := row.Result.Kind == journal.ResultFailure
		if f.Result == journal.ResultFailure && !failed || f.Result == journal.ResultVoid && (failed || row.Status != machine.StatusCompleted) {
			continue
		}
		births = append(births, birth)
	}
	slices.Sort(births)
	if !f.OldestFirst {
		slices.Reverse(births)
	}
	return births
}

// page reads one page.
func (c *crowd) page(f InvocationFilter) (page Page[Invocation]) {
	c.t.Helper()
	err := c.store.Read(func(r persistence.Reader) (err error) {
		page, err = Invocations(r, c.moment(), &f)
		return err
	})
	if err != nil {
		c.t.Fatalf("seed %d: %+v: %v", c.seed, f, err)
	}
	if page.Examined > MaxSteps+1 {
		c.t.Fatalf("seed %d: %+v: %d rows were examined", c.seed, f, page.Examined)
	}
	return page
}

// all follows the cursors.
func (c *crowd) all(f InvocationFilter) (births []ident.Seq) {
	c.t.Helper()
	for range 100_000 {
		page := c.page(f)
		if limit, _ := Limit(f.Limit); len(page.Items) > limit {
			c.t.Fatalf("a page has %d items", len(page.Items))
		}
		for _, item := range page.Items {
			births = append(births, item.Row.Birth)
		}
		if f.Cursor = page.Next; page.Next == "" {
			return births
		}
	}
	c.t.Fatalf("the list %+v never ends", f)
	return nil
}

// filter draws a filter.
func (c *crowd) filter() (f InvocationFilter) {
	sometimes := func() bool { return c.rng.IntN(4) == 0 }
	f.OldestFirst = c.rng.IntN(2) == 0
	f.Limit = pick(c.rng, 0, 1, 7, 100, 1000)
	if sometimes() {
		f.Service = pick(c.rng, "Counter", "Account", "Mail", "Nobody")
	}
	if sometimes() {
		f.Handler = pick(c.rng, "add", "get", "send")
	}
	if sometimes() {
		key := fmt.Sprint(c.rng.IntN(41))
		f.Key = &key
	}
	for range c.rng.IntN(4) {
		if c.rng.IntN(2) == 0 {
			f.Statuses |= pick(c.rng, EachStatus()...)
		}
	}
	if sometimes() {
		f.Result = pick(c.rng, journal.ResultFailure, journal.ResultVoid)
	}
	if sometimes() {
		f.InvokedBy = pick(c.rng, machine.ByIngress, machine.ByService)
	}
	if c.rng.IntN(8) == 0 {
		f.CallerID = callerID(c.rng.IntN(3))
	}
	span := c.now - begin
	if sometimes() {
		f.CreatedAfter = begin + c.rng.Int64N(span)
	}
	if sometimes() {
		f.CreatedBefore = begin + c.rng.Int64N(span)
	}
	if sometimes() {
		f.MinAge = time.Duration(c.rng.Int64N(span)) * time.Millisecond
	}
	if row := c.rows[pick(c.rng, c.births()...)]; c.rng.IntN(4) == 0 && row.IdempotencyKey != "" {
		f.IdempotencyKey, f.Handler, f.Service = row.IdempotencyKey, row.Target.Handler, row.Target.Service
	}
	return f
}

func (c *crowd) births() (births []ident.Seq) { return c.want(InvocationFilter{OldestFirst: true}) }

func TestListsAgreeWithLookingAtAll(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	c.add(1500)
	for range 150 {
		f := c.filter()
		if got, want := c.all(f), c.want(f); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v:\n got %v\nwant %v", c.seed, f, got, want)
		}
	}
}

// TestListsOfMoreThanABudgetAgree has so many rows, of which so few fit, that
// pages end before they are full, also in queues and keys that are too large to
// gather.
func TestListsOfMoreThanABudgetAgree(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	c.add(12_000)
	key := "7"
	var more []machine.Write
	for range 3000 {
		row := c.one()
		row.Target, row.Status, row.InboxSeq = ident.Target{Service: "Counter", Key: key, Handler: "add", Kind: ident.KindExclusive}, machine.StatusPending, row.Birth
		row.ID = ident.RandomID(row.Target, 0, [16]byte(row.ID[8:]))
		row.Result, row.IdempotencyKey, c.running[row.Birth] = journal.Result{}, "", false
		c.rows[row.Birth] = row
		more = append(more, writes(row, row.CreatedAt)...)
	}
	commit(t, c.store, more...)
	pending, suspended := StatusOf(machine.StatusPending), StatusOf(machine.StatusSuspended)
	for _, f := range []InvocationFilter{
		{}, {OldestFirst: true, Limit: 1000}, {CallerID: callerID(1), Limit: 1000}, {Key: &key}, {Key: &key, Service: "Account", OldestFirst: true}, {Key: &key, Statuses: suspended},
		{Statuses: pending}, {Statuses: pending | suspended, OldestFirst: true, Limit: 1000}, {Statuses: suspended}, {Statuses: Running}, {Service: "Nobody"}, {Key: &key, Statuses: pending, Handler: "get"},
	} {
		if got, want := c.all(f), c.want(f); !slices.Equal(got, want) {
			t.Errorf("seed %d: %+v: got %d, want %d", c.seed, f, len(got), len(want))
		}
	}
}

// TestPagingSeesWhatStaysExactlyOnce adds and removes invocations between pages.
func TestPagingSeesWhatStaysExactlyOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		c := newCrowd(t, persistence.NewMemory())
		c.add(600)
		f := c.filter()
		f.MinAge, f.Limit = 0, 13
		stayed := c.want(f)
		seen := map[ident.Seq]int{}
		for {
			page := c.page(f)
			for _, item := range page.Items {
				seen[item.Row.Birth]++
			}
			if f.Cursor = page.Next; page.Next == "" {
				break
			}
			c.add(5)
			for range 5 {
				gone := pick(c.rng, c.births()...)
				c.remove(gone)
				stayed = slices.DeleteFunc(stayed, func(b ident.Seq) bool { return b == gone })
			}
		}
		for _, birth := range stayed {
			if seen[birth] != 1 {
				t.Fatalf("seed %d: %+v: %v was seen %d times", c.seed, f, birth, seen[birth])
			}
		}
		for birth, n := range seen {
			if n > 1 {
				t.Fatalf("seed %d: %+v: %v was seen %d times", c.seed, f, birth, n)
			}
		}
	}
}

// TestAPageEndsBehindAllRowsOfAnInvocation pages, always late, through invocations
// that were ready and are suspended: what is left of their old rows stands at the
// same place in the order as their new ones, and a page must not end between them.
func TestAPageEndsBehindAllRowsOfAnInvocation(t *testing.T) {
	t.Parallel()
	disk, err := persistence.Open(t.TempDir(), persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	c := newCrowd(t, disk)
	c.late = true
	c.add(400)
	var all []machine.Write
	for _, row := range c.rows {
		if row.Status == machine.StatusReady {
			all = append(all, machine.Write{Delete: (&machine.ActiveRow{Partition: row.ID.Partition(), Birth: row.Birth}).Key()})
			row.Status, c.running[row.Birth] = machine.StatusSuspended, false
			all = append(all, writes(row, 0)...)
		}
	}
	commit(t, disk, all...)
	f := InvocationFilter{Statuses: Running | StatusOf(machine.StatusReady) | StatusOf(machine.StatusSuspended) | StatusOf(machine.StatusPaused)}
	for _, f.OldestFirst = range []bool{false, true} {
		if got, want := c.all(f), c.want(f); !slices.Equal(got, want) {
			t.Errorf("seed %d, oldest first %t: %d of %d invocations", c.seed, f.OldestFirst, len(got), len(want))
		}
	}
}

func TestQueuedInvocationsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	object := ident.ObjectKey{Service: "Counter", Key: "k"}
	p := ident.KeyPartitionKey("k").Partition()
	commit(t, c.store, put(&machine.HeadRow{Partition: p, Object: object, Holder: 1, InboxLength: 1500, InboxFirst: 10}))
	var all []machine.Write
	for n := range 1500 {
		row := c.one()
		row.Birth = ident.NewSeq(1, uint64(n+10))
		row.Target, row.Status, row.InboxSeq, row.CreatedAt = ident.Target{Service: "Counter", Key: "k", Handler: "add", Kind: ident.KindExclusive}, machine.StatusPending, row.Birth, int64(n)
		row.ID = ident.RandomID(row.Target, 0, [16]byte(row.ID[8:]))
		all = append(all, writes(row, int64(n+5))...)
	}
	commit(t, c.store, all...)
	page := c.page(InvocationFilter{Statuses: StatusOf(machine.StatusPending), OldestFirst: true, Limit: 1000})
	if len(page.Items) != 1000 {
		t.Fatalf("%d items", len(page.Items))
	}
	for i, item := range page.Items {
		if item.Position != i+1 || item.QueuedAt != int64(i+5) {
			t.Fatalf("item %d has place %+v", i, item.Place)
		}
	}
	page = c.page(InvocationFilter{Statuses: StatusOf(machine.StatusPending), Limit: 1})
	if got := page.Items[0].Place; got.Position != 0 || got.QueuedAt != 1504 {
		t.Fatalf("the last one of a long queue has place %+v", got)
	}
}

func TestBoundsOfTimeNarrowTheWalk(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	c.add(12_000) // 15 s apart
	births := c.births()
	middle := c.rows[births[6000]].CreatedAt
	for _, f := range []InvocationFilter{
		{CreatedBefore: middle, Limit: 10},
		{CreatedAfter: middle, OldestFirst: true, Limit: 10},
		{CreatedAfter: middle - 60_000, CreatedBefore: middle + 60_000},
		{MinAge: time.Duration(c.now-middle) * time.Millisecond, Limit: 10},
	} {
		if page := c.page(f); len(page.Items) == 0 || page.Examined > 2000 { // 6,000 lie on the wrong side
			t.Errorf("%+v: %d items after %d rows", f, len(page.Items), page.Examined)
		}
	}
}

func TestPageEndsWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	c.add(300)
	moment, at := c.moment(), time.Unix(0, 0)
	moment.Clock = func() time.Time { at = at.Add(time.Second); return at }
	err := c.store.Read(func(r persistence.Reader) error {
		page, err := Invocations(r, moment, &InvocationFilter{})
		if len(page.Items) != minWalk || page.Next == "" {
			t.Errorf("%d items, next %q", len(page.Items), page.Next)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBadQuestionsAreNamed(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	c.add(50)
	next := c.page(InvocationFilter{Limit: 10}).Next
	for _, q := range []struct {
		f    InvocationFilter
		want error
	}{
		{InvocationFilter{Limit: -1}, ErrLimit}, {InvocationFilter{Limit: MaxLimit + 1}, ErrLimit},
		{InvocationFilter{Cursor: "x"}, ErrCursor}, {InvocationFilter{Cursor: next, OldestFirst: true}, ErrForeignCursor},
		{InvocationFilter{Cursor: next, Service: "Counter"}, ErrForeignCursor},
		{InvocationFilter{Cursor: EncodeCursor("awakeables", (&InvocationFilter{}).text(), make([]byte, 10))}, ErrForeignCursor},
		{InvocationFilter{Cursor: EncodeCursor(invocationList, (&InvocationFilter{}).text(), []byte{1})}, ErrCursor},
		{InvocationFilter{Cursor: next, Limit: 3}, nil},
	} {
		err := c.store.Read(func(r persistence.Reader) error {
			_, err := Invocations(r, c.moment(), &q.f)
			return err
		})
		if !errors.Is(err, q.want) {
			t.Errorf("%+v: %v, want %v", q.f, err, q.want)
		}
	}
}

func TestItemsCarryNoResults(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, persistence.NewMemory())
	c.add(100)
	for _, item := range c.page(InvocationFilter{Result: journal.ResultVoid}).Items {
		if item.Row.Result.Value != nil || item.Row.Result.Kind == journal.ResultNone {
			t.Fatalf("result %+v", item.Row.Result)
		}
	}
	if math.MaxUint64 != maxBirth {
		t.Fatal("there are births above maxBirth")
	}
}

// TestListsOnDisk runs some lists on a store with tombstones in it.
func TestListsOnDisk(t *testing.T) {
	t.Parallel()
	s, err := persistence.Open(t.TempDir(), persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := newCrowd(t, s)
	c.add(2000)
	for i, birth := range c.births() {
		if i%3 == 0 || i > 700 && i < 1200 {
			c.remove(birth)
		}
	}
	for range 30 {
		f := c.filter()
		if got, want := c.all(f), c.want(f); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v:\n got %v\nwant %v", c.seed, f, got, want)
		}
	}
}
