package httpapi_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

var (
	flips    = flag.Int("flips", 25, "how many bits TestCorruptionIsNeverAWrongAnswer flips, one at a time; files that are cut or removed come on top")
	flipSeed = flag.Uint64("flipseed", 0, "seed of what is damaged; 0 takes one from the clock")
)

// TestCorruptionIsNeverAWrongAnswer flips one bit of a file of a data directory, cuts a
// file, or removes it, while no process runs, and then asks for everything that was ever
// acknowledged. Each answer is the right one, or the start is refused and names that very
// file, or one key is quarantined and says so.
//
// A seed repeats which files are damaged, how, and where: as a part of their length,
// since ids and times in them are others in each run.
//
// What is not tried: a log that is cut exactly between two transactions. A kill
// leaves such a file, too.
func TestCorruptionIsNeverAWrongAnswer(t *testing.T) {
	skipLong(t)
	if *flips < 1 {
		t.Skipf("-flips=%d damages nothing", *flips)
	}
	t.Parallel()
	c := &corruption{t: t, seed: *flipSeed, did: tally{}, classes: map[string]tally{}}
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano())
	}
	c.build()
	defer c.report()
	for n := uint64(0); c.did[bitFlipped] < *flips && !t.Failed(); n++ {
		c.try(n)
	}
}

// corruption is one run of the test.
type corruption struct {
	t    *testing.T
	seed uint64
	// bases are what is damaged: a directory that was closed, and the copy of one that
	// was open and at rest, which is what a kill leaves. questions are for both.
	bases     []string
	questions []question
	// did counts what was really done and what became of it, classes the same by class
	// of file.
	did     tally
	classes map[string]tally
}

// question is something that was acknowledged.
type question struct {
	what string
	// key is the one that may be quarantined instead.
	key  string
	ask  func(ctx context.Context, rt *actors.Runtime) (string, error)
	want string
	// absent reports whether what was said means that it is not there. Nil stands for
	// the answer of a directory in which nothing was ever done.
	absent func(said string) bool
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
		rt := c.mustOpen(dir)
		c.fill(rt, life)
		if life == 1 {
			c.expectList(rt)
			left := c.t.TempDir()
			if err := persistence.CopyLive(dir, left); err != nil {
				c.t.Fatal(err)
			}
			c.bases = append(c.bases, left)
		}
		if err := rt.Close(); err != nil {
			c.t.Fatal(err)
		}
	}
	c.bases = append(c.bases, dir)
	c.learnAbsence()
	for _, base := range c.bases {
		if became, text := c.judge(c.copyOf(base)); became != allRight {
			c.t.Fatalf("nothing is damaged, and the outcome is %s: %s", became, text)
		}
	}
	if became, text := c.judge(c.t.TempDir()); became != absentInSilence {
		c.t.Fatalf("everything is gone, and the outcome is %s: %s", became, text)
	}
}

func (c *corruption) mustOpen(dir string) *actors.Runtime {
	c.t.Helper()
	rt, err := c.open(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	return rt
}

// expectList asks for the list of all invocations before anything else, since other
// questions add to it. One that is missing in it is absent.
func (c *corruption) expectList(rt *actors.Runtime) {
	c.t.Helper()
	all, err := listed(c.t.Context(), rt)
	if err != nil {
		c.t.Fatal(err)
	}
	count := func(list string) (int, error) {
		n, _, _ := strings.Cut(list, ",")
		return strconv.Atoi(n)
	}
	want, err := count(all)
	if err != nil {
		c.t.Fatal(err)
	}
	fewer := func(said string) bool {
		n, err := count(said)
		return err == nil && n < want
	}
	c.questions = slices.Insert(c.questions, 0, question{what: "the list of all invocations", ask: listed, want: all, absent: fewer})
}

// learnAbsence asks a directory in which nothing was ever done.
func (c *corruption) learnAbsence() {
	c.t.Helper()
	rt := c.mustOpen(c.t.TempDir())
	for i := range c.questions {
		if c.questions[i].absent == nil {
			nothing := said(c.questions[i].ask(c.t.Context(), rt))
			c.questions[i].absent = func(said string) bool { return said == nothing }
		}
	}
	if err := rt.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// said is an answer as text.
func said(got string, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return got
}

// try damages one file and judges what is left.
func (c *corruption) try(n uint64) {
	d := c.draw(n)
	defer d.remove()
	c.harm(d)
	noticed, err := examined(d.dir)
	if err != nil {
		c.t.Errorf("%s: %v", d.what, err)
	}
	became, text := c.judge(d.dir)
	if became == refusedByName && !d.named(text) {
		became = refusedOtherwise
	}
	c.count(d, became)
	switch {
	case became == answeredWrong, became == absentInSilence, became == refusedOtherwise:
		c.t.Errorf("%s: the outcome is %s: %s", d.what, became, text)
	case became != allRight && !noticed:
		c.t.Errorf("%s: the outcome is %s: %s, and an examination finds nothing", d.what, became, text)
	}
	switch {
	case noticed:
		c.count(d, noticedByCheck)
	case became != allRight:
		c.count(d, overlookedByCheck)
	}
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

// judge starts a runtime and asks for everything.
func (c *corruption) judge(dir string) (became fact, text string) {
	rt, err := c.open(dir)
	if err != nil {
		return refusedByName, err.Error()
	}
	defer func() { _ = rt.Close() }() // it may have stopped
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	lost := ""
	for _, q := range c.questions {
		got, err := q.ask(ctx, rt)
		var gone *actors.QuarantinedError
		if errors.As(err, &gone) && gone.Object.Key == q.key {
			if lost != "" && lost != q.key {
				return answeredWrong, fmt.Sprintf("one damage quarantines %s and %s", lost, q.key)
			}
			lost = q.key
			continue
		}
		if err := rt.Err(); err != nil {
			return refusedByName, err.Error()
		}
		if err == nil && got == q.want {
			continue
		}
		became, text = answeredWrong, fmt.Sprintf("%s gives %.80q, and was acknowledged as %.80q", q.what, said(got, err), q.want)
		if q.absent(said(got, err)) {
			became = absentInSilence
		}
		return became, text
	}
	if lost != "" {
		return keyQuarantined, lost
	}
	return allRight, ""
}
