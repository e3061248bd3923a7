package httpapi_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

var (
	flips    = flag.Int("flips", 40, "how many files TestCorruptionIsNeverAWrongAnswer damages, one at a time")
	flipSeed = flag.Uint64("flipseed", 0, "seed of what is damaged; 0 takes one from the clock")
)

// TestCorruptionIsNeverAWrongAnswer flips one bit of a file of a data directory, cuts a
// file, or removes it, while no process runs, and then asks for everything that was ever
// acknowledged. Each answer is the right one, or the start is refused and names the
// file, or one key is quarantined and says so.
//
// What is not tried: a log that is cut exactly between two transactions. A kill
// leaves such a file, too.
func TestCorruptionIsNeverAWrongAnswer(t *testing.T) {
	skipLong(t)
	t.Parallel()
	seed := *flipSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	c := &corruption{t: t, r: rand.New(rand.NewPCG(seed, 1)), tally: map[string]map[string]int{}}
	c.build()
	for n := range *flips {
		c.try(n)
		if t.Failed() {
			break
		}
	}
	c.report(seed)
}

// corruption is one run of the test.
type corruption struct {
	t *testing.T
	r *rand.Rand
	// bases are what is damaged: a directory that was closed, and one whose process
	// was killed. questions are for both.
	bases     []string
	questions []question
	// tally counts outcomes by class of file.
	tally map[string]map[string]int
}

// question is something that was acknowledged.
type question struct {
	what string
	// key is the one that may be quarantined instead.
	key  string
	ask  func(ctx context.Context, rt *actors.Runtime) (string, error)
	want string
}

// damage is what is done to a file, and what became of it.
type damage struct {
	base, file, class, what string
}

// roomy is a disk with room enough, on which no ballast is laid.
func roomy(string) (persistence.Room, error) {
	const plenty = 1 << 40
	return persistence.Room{Bytes: 520 << 20, Inodes: plenty, Files: plenty, Maps: plenty}, nil
}

// open starts a runtime on a directory.
func (c *corruption) open(dir string) (*actors.Runtime, error) {
	store, err := persistence.Open(dir, persistence.Options{Probe: roomy, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	rt, err := actors.Open(context.Background(), actors.Options{
		Store: store, Services: vaults(), Logger: slog.New(slog.DiscardHandler), InactivityTimeout: -1,
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return rt, nil
}

// build makes the directories that are damaged. The first process is closed, so
// that there are tables, and the second one writes logs.
func (c *corruption) build() {
	c.t.Helper()
	dir := c.t.TempDir()
	for life := range 2 {
		rt, err := c.open(dir)
		if err != nil {
			c.t.Fatal(err)
		}
		c.fill(rt, life)
		if life == 1 {
			all, err := listed(c.t.Context(), rt)
			if err != nil {
				c.t.Fatal(err)
			}
			// It is the first one: others add to the list.
			c.questions = slices.Insert(c.questions, 0, question{what: "the list of all invocations", ask: listed, want: all})
			killed := c.t.TempDir()
			if err := persistence.CopyLive(dir, killed); err != nil {
				c.t.Fatal(err)
			}
			c.bases = append(c.bases, killed)
		}
		if err := rt.Close(); err != nil {
			c.t.Fatal(err)
		}
	}
	c.bases = append(c.bases, dir)
	for _, base := range c.bases {
		copied := c.copyOf(base)
		if wrong := c.judge(copied); wrong != "right" {
			c.t.Fatalf("nothing is damaged, and it is %s", wrong)
		}
	}
}

// try damages one file and judges what is left.
func (c *corruption) try(n int) {
	d := damage{base: c.bases[n%len(c.bases)]}
	dir := c.copyOf(d.base)
	defer os.RemoveAll(dir)
	c.harm(dir, &d)
	noticed, err := examined(dir)
	if err != nil {
		c.t.Errorf("%s: %v", d.what, err)
	}
	outcome := c.judge(dir)
	switch {
	case strings.HasPrefix(outcome, "wrong"):
		c.t.Errorf("%s: %s", d.what, outcome)
	case strings.HasPrefix(outcome, "refused") && !strings.Contains(outcome, d.file) && !strings.Contains(outcome, filepath.Ext(d.file)):
		c.t.Errorf("%s: it is %s, which does not name %s", d.what, outcome, d.file)
	case outcome != "right" && !noticed:
		c.t.Errorf("%s: it is %s, and an examination finds nothing", d.what, outcome)
	}
	word, _, _ := strings.Cut(outcome, ":")
	if c.tally[d.class] == nil {
		c.tally[d.class] = map[string]int{}
	}
	c.tally[d.class][word]++
	if noticed {
		c.tally[d.class]["noticed by check"]++
	}
}

// shares says how often a class of files is damaged; others count one.
func shares(class string) int {
	switch class {
	case "*.mem", "*.sst":
		return 6
	case "MANIFEST":
		return 3
	default:
		return 1
	}
}

// harm flips one bit of a file, cuts it, or removes it.
func (c *corruption) harm(dir string, d *damage) {
	c.t.Helper()
	classes := map[string][]string{}
	list, err := os.ReadDir(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range list {
		class := f.Name()
		if ext := filepath.Ext(class); ext != "" {
			class = "*" + ext
		}
		classes[class] = append(classes[class], f.Name())
	}
	var names []string
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		names = append(names, slices.Repeat([]string{class}, shares(class))...)
	}
	d.class = names[c.r.IntN(len(names))]
	d.file = classes[d.class][c.r.IntN(len(classes[d.class]))]
	path := filepath.Join(dir, d.file)
	content, err := os.ReadFile(path)
	if err != nil || len(content) == 0 {
		d.what = "nothing of the empty file " + d.file
		return
	}
	if c.r.IntN(6) == 0 {
		d.what = d.file + " is removed"
		if err := os.Remove(path); err != nil {
			c.t.Fatal(err)
		}
		return
	}
	used := max(1, len(strings.TrimRight(string(content), "\x00")))
	at := c.r.IntN(used)
	if c.r.IntN(10) == 0 {
		at = c.r.IntN(len(content))
	}
	if c.r.IntN(4) == 0 {
		for between(content[:at]) {
			at++
		}
		d.what = fmt.Sprintf("%s of %d bytes is cut at %d", d.file, len(content), at)
		err = os.Truncate(path, int64(at))
	} else {
		bit := byte(1) << c.r.IntN(8)
		d.what = fmt.Sprintf("in %s of %d bytes bit %02x at %d has flipped", d.file, len(content), bit, at)
		err = patch(path, int64(at), content[at]^bit)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// between reports whether a log that is cut here ends with a whole transaction:
// behind the mark come a timestamp, its text and a checksum.
func between(data []byte) bool {
	const mark, behind = "!badger!txn", 8 + 4
	i := strings.LastIndex(string(data[max(0, len(data)-64):]), mark)
	if i < 0 {
		return false
	}
	rest := data[max(0, len(data)-64)+i+len(mark):]
	return len(rest) > behind && len(rest) <= behind+20
}

func patch(path string, at int64, b byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{b}, at)
	return errors.Join(err, f.Close())
}

// copyOf copies a directory. What is zero at the end of a file takes no space.
func (c *corruption) copyOf(base string) string {
	c.t.Helper()
	dir, err := os.MkdirTemp(c.t.TempDir(), "copy")
	if err != nil {
		c.t.Fatal(err)
	}
	list, err := os.ReadDir(base)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range list {
		content, err := os.ReadFile(filepath.Join(base, f.Name()))
		if err == nil {
			path := filepath.Join(dir, f.Name())
			err = errors.Join(os.WriteFile(path, []byte(strings.TrimRight(string(content), "\x00")), 0o600), os.Truncate(path, int64(len(content))))
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return dir
}

// examined reports whether an examination notices that something is wrong.
func examined(dir string) (noticed bool, err error) {
	report := &audit.Report{}
	found, err := persistence.Examine(dir, persistence.Examiner{Rows: func(r persistence.Reader) (err error) {
		report, err = audit.Check(r)
		return err
	}})
	switch {
	case errors.Is(err, persistence.ErrFormat):
		return true, nil
	case err != nil:
		return false, err
	}
	return len(found.Damage) > 0 || found.Unread != nil || !report.Good(), nil
}

// judge starts a runtime and asks for everything. The outcome is right, refused:
// and why, quarantined: and which key, or wrong: and what.
func (c *corruption) judge(dir string) (outcome string) {
	rt, err := c.open(dir)
	if err != nil {
		return "refused: " + err.Error()
	}
	defer func() { _ = rt.Close() }() // it may have stopped
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	lost := map[string]bool{}
	for _, q := range c.questions {
		got, err := q.ask(ctx, rt)
		var quarantined *actors.QuarantinedError
		switch {
		case errors.As(err, &quarantined) && quarantined.Object.Key == q.key:
			lost[q.key] = true
		case rt.Err() != nil:
			return "refused: " + rt.Err().Error()
		case err != nil || got != q.want:
			return fmt.Sprintf("wrong: %s gives %.80q, %v, and was acknowledged as %.80q", q.what, got, err, q.want)
		}
	}
	switch len(lost) {
	case 0:
		return "right"
	case 1:
		return fmt.Sprintf("quarantined: %v", slices.Collect(maps.Keys(lost)))
	default:
		return fmt.Sprintf("wrong: one bit quarantines the keys %v", slices.Sorted(maps.Keys(lost)))
	}
}

func (c *corruption) report(seed uint64) {
	var lines strings.Builder
	for _, class := range slices.Sorted(maps.Keys(c.tally)) {
		fmt.Fprintf(&lines, "\n%-14s", class)
		for _, word := range []string{"right", "refused", "quarantined", "wrong", "noticed by check"} {
			fmt.Fprintf(&lines, "  %s %d", word, c.tally[class][word])
		}
	}
	c.t.Logf("%d files were damaged, seed %d:%s", *flips, seed, lines.String())
}
