package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// mustBackUp takes a backup, which must be whole.
func mustBackUp(t *testing.T, s persistence.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	info, err := s.Backup(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	found, err := persistence.CheckBackup(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if info.Damaged != 0 {
		t.Errorf("%d rows of %d are damaged", info.Damaged, info.Rows)
	}
	if found.Taken = info.Taken; found != info { // the one in the file is rounded
		t.Fatalf("the backup says %+v, and the store said %+v", found, info)
	}
	return b.Bytes()
}

// mustRestore opens what a backup was restored to.
func mustRestore(t *testing.T, backup []byte) persistence.Store {
	t.Helper()
	dir := t.TempDir()
	if _, err := persistence.Restore(t.Context(), bytes.NewReader(backup), dir, persistence.Options{}); err != nil {
		t.Fatal(err)
	}
	s, err := persistence.Open(dir, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func backupBringsEveryRowBack(t *testing.T, h Harness) {
	s := h.Open(t)
	large := carriers(pattern(3<<20 + 3))[:4]
	commit(t, s, put(sampleRows()...), put(large...), fresh(active(1), active(2)))
	commit(t, s, remove(active(1).Key()))
	if err := s.Commit(nil, persistence.Marks{Timers: 77, Clock: 99}); err != nil {
		t.Fatal(err)
	}
	back := mustRestore(t, mustBackUp(t, s))
	for _, r := range append(sampleRows(), active(2)) {
		if r.Key() != large[0].Key() && r.Key() != large[1].Key() && r.Key() != large[2].Key() && r.Key() != large[3].Key() {
			want(t, back, r)
		}
	}
	for _, r := range large {
		want(t, back, r)
	}
	wantNone(t, back, active(1).Key())
	info, before := back.Info(), s.Info()
	if info.Marks != (persistence.Marks{Timers: 77, Clock: 99}) || !info.Clean {
		t.Errorf("the restored store says %+v", info)
	}
	if info.Boot < before.Boot+1<<16 || info.Boot > before.Boot+2<<16+1 {
		t.Errorf("boot %d follows boot %d", info.Boot, before.Boot)
	}
	// It goes on like any other one, chunks included.
	commit(t, back, put(carriers(pattern(600 << 10))[:4]...), remove(active(2).Key()))
	if again := mustRestore(t, mustBackUp(t, back)); again.Info().Boot <= info.Boot+1<<16 {
		t.Errorf("boot %d follows boot %d", again.Info().Boot, info.Boot)
	}
}

func backupOfAnEmptyStoreIsOne(t *testing.T, h Harness) {
	back := mustRestore(t, mustBackUp(t, h.Open(t)))
	if rows := scan(t, back, machine.Key{Partition: partition, Table: machine.TableActive}, machine.Key{}, 10); len(rows) != 0 {
		t.Errorf("it has %d rows", len(rows))
	}
	commit(t, back, put(active(1)))
	want(t, back, active(1))
}

// backupIsOneMoment writes pairs of rows, far from each other, while a backup is
// taken in the middle of them, and writes more from within the backup.
func backupIsOneMoment(t *testing.T, h Harness) {
	s := h.Open(t)
	const pairs = 3000
	pair := func(n int) []machine.Write {
		a, b := active(n), active(n)
		a.Partition, b.Partition = 0, ident.Partitions-1
		return fresh(a, b)
	}
	n := 0
	next := func() { commit(t, s, pair(n)); n++ }
	for n < pairs/2 {
		next()
	}
	var b bytes.Buffer
	began := n
	info, err := s.Backup(t.Context(), writerFunc(func(p []byte) (int, error) {
		for range 10 {
			next()
		}
		return b.Write(p)
	}))
	if err != nil || n == began || info.Rows != uint64(2*began) {
		t.Fatalf("%+v, %v; %d pairs, then %d", info, err, began, n)
	}
	back := mustRestore(t, b.Bytes())
	for _, p := range []ident.Partition{0, ident.Partitions - 1} {
		if rows := scan(t, back, machine.Key{Partition: p, Table: machine.TableActive}, machine.Key{}, 2*n); len(rows) != began {
			t.Errorf("partition %d has %d rows of %d", p, len(rows), began)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// backupThatFailsIsNone breaks a backup at each of its writes, by an error and by
// a context.
func backupThatFailsIsNone(t *testing.T, h Harness) {
	s := h.Open(t)
	commit(t, s, put(carriers(pattern(600<<10))...), put(active(1)))
	errBroken := errors.New("it is broken")
	for writes, done := 0, false; !done; writes++ {
		var b bytes.Buffer
		n := 0
		_, err := s.Backup(t.Context(), writerFunc(func(p []byte) (int, error) {
			if n++; n > writes {
				return 0, errBroken
			}
			return b.Write(p)
		}))
		if done = err == nil; !done && !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		if _, err := persistence.CheckBackup(bytes.NewReader(b.Bytes())); (err == nil) != done {
			t.Fatalf("after %d writes: %v", writes, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var b bytes.Buffer
	_, err := s.Backup(ctx, writerFunc(func(p []byte) (int, error) { cancel(errBroken); return b.Write(p) }))
	if !errors.Is(err, errBroken) {
		t.Errorf("a backup nobody waits for: %v", err)
	}
	_, err = persistence.CheckBackup(&b)
	if !errors.Is(err, persistence.ErrBackupIncomplete) || !bytes.Contains([]byte(err.Error()), []byte(errBroken.Error())) {
		t.Errorf("its file: %v", err)
	}
}

func oneBackupAtATime(t *testing.T, h Harness) {
	s := h.Open(t)
	_, err := s.Backup(t.Context(), writerFunc(func(p []byte) (int, error) {
		if _, err := s.Backup(t.Context(), io.Discard); !errors.Is(err, persistence.ErrBackupUnderWay) {
			t.Errorf("a second backup: %v", err)
		}
		return len(p), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	mustBackUp(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(t.Context(), io.Discard); !errors.Is(err, persistence.ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
}
