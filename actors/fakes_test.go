package actors

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// diskStore is a store of timer rows that remembers what was committed. Its
// hooks run without its lock.
type diskStore struct {
	onCommit func(group []*persistence.Batch) error
	onRead   func() error // before the snapshot is taken
	onScan   func()       // after it is taken

	mu      sync.Mutex
	writes  map[*persistence.Batch][]machine.Write
	rows    map[machine.Key]machine.Row
	marks   persistence.Marks
	groups  [][]*persistence.Batch
	stored  []persistence.Marks // what each commit was given
	health  persistence.Health
	largest int // rows returned by the largest scan
}

func newDiskStore() *diskStore {
	return &diskStore{
		writes: make(map[*persistence.Batch][]machine.Write),
		rows:   make(map[machine.Key]machine.Row),
	}
}

func (s *diskStore) Info() persistence.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return persistence.Info{Boot: 1, Clean: true, Marks: s.marks}
}

func (s *diskStore) Encode(seq ident.Seq, writes []machine.Write) (*persistence.Batch, error) {
	b := &persistence.Batch{Seq: seq, Rows: len(writes), Bytes: 100 * len(writes)}
	for _, w := range writes {
		if t, ok := w.Put.(*machine.TimerRow); ok && (b.EarliestTimer == 0 || t.Due < b.EarliestTimer) {
			b.EarliestTimer = t.Due
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes[b] = slices.Clone(writes)
	return b, nil
}

func (s *diskStore) Commit(group []*persistence.Batch, marks persistence.Marks) error {
	if s.onCommit != nil {
		if err := s.onCommit(group); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range group {
		for _, w := range s.writes[b] {
			if w.Put != nil {
				s.rows[w.Put.Key()] = w.Put
			} else {
				delete(s.rows, w.Delete)
			}
		}
	}
	if marks.Timers != 0 {
		s.marks.Timers = marks.Timers
	}
	if marks.Clock != 0 {
		s.marks.Clock = marks.Clock
	}
	s.groups = append(s.groups, slices.Clone(group))
	s.stored = append(s.stored, marks)
	return nil
}

func (s *diskStore) Read(fn func(persistence.Reader) error) error {
	if s.onRead != nil {
		if err := s.onRead(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	snapshot := diskSnapshot{store: s}
	for _, row := range s.rows {
		snapshot.rows = append(snapshot.rows, row)
	}
	s.mu.Unlock()
	slices.SortFunc(snapshot.rows, func(a, b machine.Row) int { return compareKeys(a.Key(), b.Key()) })
	if s.onScan != nil {
		s.onScan()
	}
	return fn(&snapshot)
}

func (s *diskStore) Health() persistence.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

func (s *diskStore) press(p persistence.Pressure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = persistence.Health{Pressure: p, Reason: "the test says so"}
}

func (s *diskStore) Tidy() error { return nil }
func (s *diskStore) Backup(context.Context, io.Writer) (persistence.BackupInfo, error) {
	return persistence.BackupInfo{}, errors.New("the fake has nothing to back up")
}
func (s *diskStore) Close() error { return nil }

// put writes rows as if they had been committed before.
func (s *diskStore) put(rows ...*machine.TimerRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		s.rows[row.Key()] = row
	}
}

func (s *diskStore) marksSoFar() []persistence.Marks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.stored)
}

// lowest returns the earliest due time on disk.
func (s *diskStore) lowest() (due int64, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.rows {
		if t := row.(*machine.TimerRow); !found || t.Due < due {
			due, found = t.Due, true
		}
	}
	return due, found
}

// diskSnapshot is what was on disk when a read began.
type diskSnapshot struct {
	store *diskStore
	rows  []machine.Row
}

func (r *diskSnapshot) Get(key machine.Key) (machine.Row, error) {
	i, found := r.find(key)
	if !found {
		return nil, nil
	}
	return r.rows[i], nil
}

func (r *diskSnapshot) find(key machine.Key) (int, bool) {
	return slices.BinarySearchFunc(r.rows, key, func(row machine.Row, k machine.Key) int {
		return compareKeys(row.Key(), k)
	})
}

func (r *diskSnapshot) Scan(from, to machine.Key, limit int) ([]machine.Row, error) {
	first, _ := r.find(from)
	end, _ := r.find(to)
	found := slices.Clone(r.rows[first:min(max(first, end), first+limit)])
	r.store.mu.Lock()
	r.store.largest = max(r.store.largest, len(found))
	r.store.mu.Unlock()
	return found, nil
}

func (r *diskSnapshot) Rows(from, to machine.Key, order persistence.Order) persistence.Iterator {
	found, _ := r.Scan(from, to, len(r.rows))
	if order == persistence.Descending {
		slices.Reverse(found)
	}
	return &diskIterator{rows: found}
}

// diskIterator walks rows that were found before.
type diskIterator struct {
	rows []machine.Row
	next int
}

func (i *diskIterator) Next() bool                { i.next++; return i.next <= len(i.rows) }
func (i *diskIterator) Key() machine.Key          { return i.rows[i.next-1].Key() }
func (i *diskIterator) Row() (machine.Row, error) { return i.rows[i.next-1], nil }
func (i *diskIterator) Err() error                { return nil }
func (i *diskIterator) Close()                    {}

func compareKeys(a, b machine.Key) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Table, b.Table),
		cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B), cmp.Compare(a.C, b.C))
}

// handClock is a clock that a test moves. Wall time and waiting are moved
// apart, so it can leap.
type handClock struct {
	mu     sync.Mutex
	wall   time.Time
	up     time.Duration
	alarms []*handAlarm
}

type handAlarm struct {
	at time.Duration
	fn func()
}

func newHandClock() *handClock {
	return &handClock{wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

func (c *handClock) Uptime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

func (c *handClock) AfterFunc(d time.Duration, fn func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &handAlarm{at: c.up + d, fn: fn}
	c.alarms = append(c.alarms, a)
	return func() bool { return c.remove(a) }
}

func (c *handClock) remove(a *handAlarm) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.alarms, a)
	if i >= 0 {
		c.alarms = slices.Delete(c.alarms, i, i+1)
	}
	return i >= 0
}

// advance lets time pass.
func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	c.wall, c.up = c.wall.Add(d), c.up+d
	var due []*handAlarm
	c.alarms = slices.DeleteFunc(c.alarms, func(a *handAlarm) bool {
		if a.at <= c.up {
			due = append(due, a)
		}
		return a.at <= c.up
	})
	c.mu.Unlock()
	for _, a := range due {
		a.fn()
	}
}

// leap moves the wall clock alone.
func (c *handClock) leap(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = c.wall.Add(d)
}

// testLog sends log lines to the test.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
