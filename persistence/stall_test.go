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

// unwritable returns an open store whose engine can make no table: the names are taken.
func unwritable(t *testing.T) *badgerStore {
	t.Helper()
	dir := t.TempDir()
	store, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, store, mustEncode(t, 1, machine.Write{Put: numbered(1, 100)}))
	for i := 1; i < 100; i++ {
		if err := os.Mkdir(fmt.Sprintf("%s/%06d%s", dir, i, tableSuffix), 0o700); err != nil {
			t.Fatal(err)
		}
	}
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
	closes(t, unwritable(t), "file exists")
}

// TestATableThatCannotBeWrittenEndsTheStoreByName fills the memory of the engine until
// it has to write a table, under a name that is taken.
func TestATableThatCannotBeWrittenEndsTheStoreByName(t *testing.T) {
	skipLong(t)
	t.Parallel()
	store := unwritable(t)
	ended := make(chan error, 1)
	go func() {
		for i := ident.Seq(2); ; i++ {
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
	case err := <-ended:
		if !strings.Contains(err.Error(), "a table cannot be written") {
			t.Fatalf("commits give %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the engine takes nothing, and no error comes")
	}
	closes(t, store, "file exists")
}
