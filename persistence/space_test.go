package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// gauge is a probe that a test sets.
type gauge struct {
	clock
	mu    sync.Mutex
	room  Room
	err   error
	calls int
}

func newGauge() *gauge {
	return &gauge{room: Room{Bytes: unlimited, Inodes: unlimited, Files: unlimited, Maps: unlimited}}
}

func (g *gauge) probe(string) (Room, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	return g.room, g.err
}

func (g *gauge) set(f func(r *Room)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.room = newGauge().room
	f(&g.room)
	g.advance(2 * healthEvery)
}

func (g *gauge) options() Options { return Options{Probe: g.probe, Now: g.now} }

func TestPressureNamesTheScarceThing(t *testing.T) {
	t.Parallel()
	g := newGauge()
	store, err := Open(t.TempDir(), g.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for _, c := range []struct {
		set    func(r *Room)
		want   Pressure
		reason string
	}{
		{func(r *Room) {}, PressureNone, ""},
		{func(r *Room) { r.Bytes = 500 << 20 }, PressureSoft, "disk space"},
		{func(r *Room) { r.Bytes = 100 << 20 }, PressureHard, "disk space"},
		{func(r *Room) { r.Inodes = softInodes - 1 }, PressureSoft, "inodes"},
		{func(r *Room) { r.Inodes = 0 }, PressureHard, "inodes"},
		{func(r *Room) { r.Files = softFiles - 1 }, PressureSoft, "descriptors"},
		{func(r *Room) { r.Files = hardFiles - 1 }, PressureHard, "descriptors"},
		{func(r *Room) { r.Maps = softMaps - 1 }, PressureSoft, "memory maps"},
		{func(r *Room) { r.Maps, r.Bytes = hardMaps-1, 500<<20 }, PressureHard, "memory maps"},
		{func(r *Room) {}, PressureNone, ""},
	} {
		g.set(c.set)
		got := store.Health()
		if got.Pressure != c.want || !strings.Contains(got.Reason, c.reason) || (got.Reason == "") != (c.reason == "") {
			t.Fatalf("got %v %q, want %v about %q", got.Pressure, got.Reason, c.want, c.reason)
		}
	}
	g.err = errors.New("no such call")
	g.advance(2 * healthEvery)
	if got := store.Health(); got.Pressure != PressureSoft || !strings.Contains(got.Reason, "no such call") {
		t.Fatalf("a probe that fails: %+v", got)
	}
}

func TestHealthMeasuresOnceASecond(t *testing.T) {
	t.Parallel()
	g := newGauge()
	options := g.options().withDefaults()
	h := health{options: &options}
	for range 100 {
		h.read()
		g.advance(10 * time.Millisecond)
	}
	if g.calls != 1 {
		t.Fatalf("%d measurements in one second", g.calls)
	}
	h.read()
	if g.calls != 2 {
		t.Fatalf("%d measurements after one second", g.calls)
	}
}

func TestHardPressureEndsTheStoreBeforeTheEngineWrites(t *testing.T) {
	t.Parallel()
	g, dir := newGauge(), t.TempDir()
	store, err := Open(dir, g.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	g.set(func(r *Room) { r.Bytes = 400 << 20 })
	mustCommit(t, store, mustEncode(t, 1, machine.Write{Put: numbered(1, 10)}))
	g.set(func(r *Room) { r.Bytes = 1 << 20 })
	err = store.Commit([]*Batch{mustEncode(t, 2, machine.Write{Put: numbered(2, 10)})}, Marks{})
	if !errors.Is(err, ErrNoSpace) {
		t.Fatalf("got %v", err)
	}
	g.set(func(*Room) {})
	if err := store.Commit(nil, Marks{Clock: 1}); !errors.Is(err, ErrClosed) {
		t.Fatalf("the next commit: %v", err)
	}
	wantNumbered(t, store, 1, 10)
}

func TestBallastServesAnOpening(t *testing.T) {
	t.Parallel()
	g, dir := newGauge(), t.TempDir()
	store, err := Open(dir, g.options())
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, ballastFile)
	if info, err := os.Stat(ballast); err != nil || info.Size() != ballastBytes {
		t.Fatalf("no ballast: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	// The disk is full, and dropping the ballast makes room.
	o := g.options()
	o.Probe = func(string) (Room, error) {
		room := newGauge().room
		if _, err := os.Stat(ballast); err == nil {
			room.Bytes = 150 << 20
		} else {
			room.Bytes = 214 << 20
		}
		return room, nil
	}
	if store, err = Open(dir, o); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ballast); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the ballast is still there: %v", err)
	}
	g.set(func(r *Room) { r.Bytes = 1 << 20 })
	if _, err := Open(dir, g.options()); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("a full disk without ballast: %v", err)
	}
	g.set(func(*Room) {})
	if store, err = Open(dir, g.options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if _, err := os.Stat(ballast); err != nil {
		t.Fatalf("the ballast does not come back: %v", err)
	}
}

func TestProbeMeasuresThisMachine(t *testing.T) {
	t.Parallel()
	room, err := probe(t.TempDir())
	if err != nil || room.Bytes == 0 || room.Files == 0 || room.Maps == 0 {
		t.Fatalf("%+v, %v", room, err)
	}
}

// TestTheDiskIsMeasuredBeforeEachTransaction: in the second between two readings another
// program may take what is left.
func TestTheDiskIsMeasuredBeforeEachTransaction(t *testing.T) {
	t.Parallel()
	g, left := newGauge(), newGauge().room
	o := g.options()
	o.disk = func(string) (Room, error) { return left, nil }
	store, err := Open(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	mustCommit(t, store, mustEncode(t, 1, machine.Write{Put: numbered(1, 10)}))
	left.Bytes = 1 << 20
	err = store.Commit([]*Batch{mustEncode(t, 2, machine.Write{Put: numbered(2, 10)})}, Marks{})
	if !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "disk space") {
		t.Fatalf("got %v", err)
	}
}

// TestBallastServesTheCloseOfAFullDisk: it is the room for what the engine writes then.
func TestBallastServesTheCloseOfAFullDisk(t *testing.T) {
	t.Parallel()
	g, dir := newGauge(), t.TempDir()
	store, err := Open(dir, g.options())
	if err != nil {
		t.Fatal(err)
	}
	g.set(func(r *Room) { r.Bytes = ballastBytes })
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ballastFile)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the ballast is still there: %v", err)
	}
}

// TestTheEngineIsNotClosedWithoutRoomForItsTables: a write to a map behind which there
// is no space ends the process.
func TestTheEngineIsNotClosedWithoutRoomForItsTables(t *testing.T) {
	t.Parallel()
	g, dir := newGauge(), t.TempDir()
	store, err := Open(dir, g.options())
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, store, mustEncode(t, 1, machine.Write{Put: numbered(1, 100)}))
	g.set(func(r *Room) { r.Bytes = tableRoom - 1 })
	if err := store.Close(); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "not closed") {
		t.Fatalf("Close gives %v", err)
	}
	if tables, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix)); err != nil || len(tables) > 0 {
		t.Errorf("%v was written, %v", tables, err)
	}
	next := t.TempDir()
	if err := CopyLive(dir, next); err != nil {
		t.Fatal(err)
	}
	if store, err = Open(next, Options{}); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if n := countNumbered(t, store); n != 1 {
		t.Errorf("%d rows are there, 1 was acknowledged", n)
	}
}

// TestAStoreIsNotOpenedWithoutDescriptorsForItsFiles: there are enough in general, and
// not for so many tables.
func TestAStoreIsNotOpenedWithoutDescriptorsForItsFiles(t *testing.T) {
	skipLong(t)
	t.Parallel()
	_, dir, _ := grown(t)
	for says, set := range map[string]func(*Room){
		"67 file descriptors left": func(r *Room) { r.Files = hardFiles + 3 },
		"515 memory maps left":     func(r *Room) { r.Maps = hardMaps + 3 },
	} {
		g := newGauge()
		g.set(set)
		if s, err := Open(dir, g.options()); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, %v", s, err)
		}
	}
	openStore(t, dir)
}
