package persistence

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/faults"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// killDir names the directory of a process that is there to be killed.
const killDir = "DORMOUSE_TEST_KILL_DIR"

// TestKilledProcessLosesNothingAcknowledged starts this test in another process,
// which commits and says so, kills it after a random number of commits, and
// looks at what is there. Now and then a commit carries chunks.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		commitUntilKilled(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := -1
	for round := range 4 {
		if last := runUntilKilled(t, dir, 1+random.IntN(40)); last >= 0 {
			acknowledged = last
		}
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if s.Info().Clean {
			t.Fatalf("round %d: the store was killed and is clean", round)
		}
		next := countNumbered(t, s)
		if next <= acknowledged || next > acknowledged+2 {
			t.Fatalf("round %d: %d was acknowledged, and there are %d rows", round, acknowledged, next)
		}
		for i := range next {
			wantNumbered(t, s, i, killSize(i))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func killSize(i int) int {
	if i%9 == 8 {
		return 10 * ChunkBytes
	}
	return 2000
}

func countNumbered(t *testing.T, s Store) (n int) {
	t.Helper()
	err := s.Read(func(r Reader) error {
		rows, err := r.Scan(machine.Key{Partition: 5, Table: machine.TableState}, machine.Key{}, 1<<20)
		n = len(rows)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// runUntilKilled returns the number of the last acknowledged commit.
func runUntilKilled(t *testing.T, dir string, commits int) (last int) {
	t.Helper()
	cmd := faults.Child("TestKilledProcessLosesNothingAcknowledged", 5*time.Minute, killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	last = -1
	lines := bufio.NewScanner(out)
	for ; commits > 0 && lines.Scan(); commits-- {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("the process says %q", lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // acknowledged before the kill arrived
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("the process says %q", lines.Text())
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
	return last
}

func commitUntilKilled(t *testing.T, dir string) {
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := countNumbered(t, s); ; i++ {
		b, err := s.Encode(ident.NewSeq(s.Info().Boot, uint64(i)), []machine.Write{{Put: numbered(i, killSize(i)), Fresh: true}})
		if err == nil {
			err = s.Commit([]*Batch{b}, Marks{})
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(i)
	}
}
