package persistence

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// unwritable returns an open store in whose directory nothing can be made any more,
// until the end of the test.
func unwritable(t *testing.T) *badgerStore {
	t.Helper()
	dir := t.TempDir() + "/data"
	store, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, store, mustEncode(t, 1, machine.Write{Put: numbered(1, 100)}))
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
	})
	return store.(*badgerStore)
}

// closes fails unless Close returns soon, with an error.
func closes(t *testing.T, s *badgerStore, want string) {
	t.Helper()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("Close gives %v, want %q", err, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Close does not return")
	}
}

// TestCloseReturnsAlthoughTheEngineCannotWriteItsTables: the engine itself tries it for
// ever.
func TestCloseReturnsAlthoughTheEngineCannotWriteItsTables(t *testing.T) {
	t.Parallel()
	closes(t, unwritable(t), "no such file or directory")
}

// TestATableThatCannotBeWrittenEndsTheStoreByName fills the memory of the engine until
// it has to write a table, under a name that is taken.
func TestATableThatCannotBeWrittenEndsTheStoreByName(t *testing.T) {
	skipLong(t)
	t.Parallel()
	dir := t.TempDir()
	store, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 100; i++ {
		if err := os.Mkdir(fmt.Sprintf("%s/%06d%s", dir, i, tableSuffix), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() {
		for i := ident.Seq(1); ; i++ {
			b, err := store.Encode(i, []machine.Write{{Put: numbered(int(i), 100_000)}})
			if err == nil {
				err = store.Commit([]*Batch{b}, Marks{})
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the engine takes nothing, and no error comes")
	}
	if !strings.Contains(err.Error(), "a table cannot be written") {
		t.Fatalf("commits give %v", err)
	}
	closes(t, store.(*badgerStore), "file exists")
}
