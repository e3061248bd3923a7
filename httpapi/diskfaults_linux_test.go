package httpapi_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dormouse-run/dormouse/internal/faults"
)

// The tests of this file run a program on a disk that fails it, or in a process that
// runs out of what it needs. Nothing stands in for the disk or for the system.

// scarcity makes a child short of one thing.
type scarcity struct {
	// names is what the child calls it, dir its directory.
	names, dir string
	env        []string
	// leave takes more of it until about n are left, release gives all of it back.
	leave   func(c *child, n int)
	release func(c *child)
	// outside says that the next process would be short of it too.
	outside bool
	// soft and hard are amounts below the two thresholds.
	soft, hard int
}

// faultyDisk returns a directory for a child, whose data lies on a disk of its own.
func faultyDisk(t *testing.T, o faults.DiskOptions) (dir string, d *faults.Disk) {
	t.Helper()
	d, err := faults.NewDisk(t.TempDir(), o)
	if errors.Is(err, faults.ErrUnavailable) && !*disksGone {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	dir = t.TempDir()
	data := filepath.Join(d.Path(), "data")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Symlink(data, filepath.Join(dir, "data"))); err != nil {
		t.Fatal(err)
	}
	return dir, d
}

// scarceSpace has files that take the space of the disk.
func scarceSpace(t *testing.T) scarcity {
	dir, d := faultyDisk(t, faults.DiskOptions{})
	filler, files := filepath.Join(d.Path(), "filler"), 0
	take := func(size int64) error {
		files++
		return faults.Allocate(fmt.Sprint(filler, files), size)
	}
	free := func(c *child) int64 {
		var st unix.Statfs_t
		if err := unix.Statfs(d.Path(), &st); err != nil {
			c.t.Fatal(err)
		}
		return int64(st.Bavail) * st.Bsize
	}
	return scarcity{
		names: "bytes of disk space", dir: dir, outside: true, soft: 400 << 20, hard: 0,
		leave: func(c *child, n int) {
			// The store takes some meanwhile: the last of it goes in small pieces.
			const piece = 64 << 10
			if err := take(free(c) - max(int64(n), 4<<20)); err != nil {
				c.t.Fatal(err)
			}
			for free(c) >= int64(n)+piece {
				if err := take(piece); err != nil {
					return // there is none left
				}
			}
		},
		release: func(c *child) {
			all, err := filepath.Glob(filler + "*")
			if err != nil {
				c.t.Fatal(err)
			}
			for _, path := range all {
				remove(c.t, path)
			}
		},
	}
}

// scarceInodes has empty files that take the inodes of the disk.
func scarceInodes(t *testing.T) scarcity {
	dir, d := faultyDisk(t, faults.DiskOptions{Inodes: 4096})
	many, files := filepath.Join(d.Path(), "many"), 0
	return scarcity{
		names: "inodes", dir: dir, outside: true, soft: 1000, hard: 0,
		leave: func(c *child, n int) {
			var st unix.Statfs_t
			if err := errors.Join(os.MkdirAll(many, 0o700), unix.Statfs(d.Path(), &st)); err != nil {
				c.t.Fatal(err)
			}
			for range int(st.Ffree) - n {
				files++
				err := os.WriteFile(filepath.Join(many, fmt.Sprint(files)), nil, 0o600)
				if errors.Is(err, syscall.ENOSPC) {
					return // the program has taken some meanwhile
				}
				if err != nil {
					c.t.Fatal(err)
				}
			}
		},
		release: func(c *child) { remove(c.t, many) },
	}
}

// scarceDescriptors lowers the limit of the process.
func scarceDescriptors(t *testing.T) scarcity {
	limit := func(c *child, n uint64) {
		var l unix.Rlimit
		err := unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &l)
		if err == nil {
			l.Cur = min(n, l.Max)
			err = unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_NOFILE, &l, nil)
		}
		if err != nil {
			c.t.Skipf("the limit of another process cannot be set: %v", err)
		}
	}
	return scarcity{
		names: "file descriptors", dir: t.TempDir(), soft: 160, hard: -8,
		leave:   func(c *child, n int) { limit(c, uint64(c.descriptors()+n)) },
		release: func(c *child) { limit(c, 1<<30) },
	}
}

// scarceMaps lets the process take its maps itself.
func scarceMaps(t *testing.T) scarcity {
	return scarcity{
		names: "memory maps", dir: t.TempDir(), soft: 2500, hard: 350, env: []string{envFaults + "=maps"},
		leave:   func(c *child, n int) { c.order("maps", n) },
		release: func(c *child) { c.order("maps", 0) },
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func scarcities() map[string]func(*testing.T) scarcity {
	return map[string]func(*testing.T) scarcity{
		"space": scarceSpace, "inodes": scarceInodes, "descriptors": scarceDescriptors, "maps": scarceMaps,
	}
}

// TestAProgramThatIsShortOfSomethingRefusesNewWorkAndRecoversByItself takes most of it
// away while the program works, and the rest once it refuses new work.
func TestAProgramThatIsShortOfSomethingRefusesNewWorkAndRecoversByItself(t *testing.T) {
	skipLong(t)
	t.Parallel()
	for name, make := range scarcities() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := make(t)
			c := startChild(t, s.dir, s.env...)
			t.Cleanup(func() {
				if t.Failed() {
					c.end(syscall.SIGKILL)
					t.Log(c.tail())
				}
			})
			id := c.send("/Desk/x/ask", `"x"`)
			awakeable := c.await(t, "id", "x")
			j := newJudge(c)
			j.acknowledged(100)
			s.leave(c, s.soft)
			// Calls that were accepted in the last moment may be held, all of the load with them.
			eventually(t, "a refusal", func() bool { return c.call("/Desk/z/note/send", "0").status == 507 })
			want(t, c.call("/Desk/z/note", "0"), 507, s.names+" left, less than")
			want(t, ask(c.client, "GET", c.ingress+"/restate/health", ""), 200, "Desk")
			want(t, c.resolve(awakeable, `"yes"`), 202, "")
			for began := time.Now(); time.Since(began) < 1500*time.Millisecond; { // more than one reading
				want(t, c.call("/Desk/z/note/send", "0"), 507, s.names)
			}
			s.leave(c, s.hard) // somebody else takes the rest
			for began := time.Now(); time.Since(began) < 1500*time.Millisecond; {
				want(t, c.call("/Desk/z/note/send", "0"), 507, s.names)
			}
			s.release(c)
			want(t, c.attach(id), 200, `"yes"`) // an attempt that was held goes on
			j.acknowledged(100)
			j.check(s.env...)
			if n := j.count(0); n > 0 {
				t.Errorf("%d requests had no answer", n)
			}
		})
	}
}

// TestAProgramThatHasNothingLeftOfSomethingStopsByName takes nearly all of it away at
// once, so that new work is not refused in time.
func TestAProgramThatHasNothingLeftOfSomethingStopsByName(t *testing.T) {
	goneFromOneMomentToTheNext(t)
	t.Parallel()
	for name, make := range scarcities() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := make(t)
			c := startChild(t, s.dir, s.env...)
			id := c.send("/Desk/x/ask", `"x"`)
			awakeable := c.await(t, "id", "x")
			fillMemory(c)
			connect(c)
			j := newJudge(c)
			j.acknowledged(100)
			s.leave(c, s.hard)
			// It goes on and refuses new work if there is nothing to write. A resolution is
			// taken nevertheless, and has to be written.
			eventually(t, "a refusal", func() bool {
				return j.count(507)+j.count(0) > 0 || c.call("/Desk/z/note/send", "0").status != 202
			})
			c.later("/restate/awakeables/"+awakeable+"/resolve", `"yes"`)
			if out := c.stopped(); !strings.Contains(out, s.names+" left, less than") {
				t.Fatalf("it does not say why it has stopped: %s", c.tail())
			}
			if s.outside {
				if out := launchChild(t, s.dir, s.env...).stopped(); !strings.Contains(out, s.names+" left, less than") {
					t.Errorf("it does not say why it does not start: %.2000s", out)
				}
				s.release(c)
			}
			c = j.restart(s.env...)
			j.acknowledged(100)
			want(t, c.resolve(awakeable, `"yes"`), 202, "")
			want(t, c.attach(id), 200, `"yes"`)
			j.check(s.env...)
		})
	}
}

// fillMemory gives the engine more to write when it closes than a few pages.
func fillMemory(c *child) {
	c.t.Helper()
	big := strconv.Quote(strings.Repeat("big", 80_000))
	for i := range 40 {
		want(c.t, c.call(fmt.Sprintf("/Desk/big%d/ask/send?delay=24h", i), big), 202, "")
	}
}

// connect leaves idle connections to a child, which accepts none without descriptors.
func connect(c *child) {
	c.t.Helper()
	const connections = 12
	before := c.descriptors()
	id := c.send("/Desk/idle/ask", `"idle"`)
	awakeable := c.await(c.t, "id", "idle")
	attached := make(chan reply, connections)
	for range connections {
		go func() { attached <- c.attach(id) }()
	}
	eventually(c.t, "connections", func() bool { return c.descriptors() >= before+connections-2 })
	want(c.t, c.resolve(awakeable, `"yes"`), 202, "")
	for range connections {
		want(c.t, receive(c.t, attached), 200, `"yes"`)
	}
}

// TestSlowSyncsAreSlowAndNothingElse makes each sync last longer.
func TestSlowSyncsAreSlowAndNothingElse(t *testing.T) {
	skipLong(t)
	t.Parallel()
	c := startWithSyncs(t, t.TempDir())
	j := newJudge(c)
	c.order("slow", 40)
	began := time.Now()
	want(t, c.call("/Desk/x/note", "0"), 200, "0")
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("a call took %v, less than a sync", took)
	}
	j.acknowledged(60)
	c.order("slow", 0)
	j.acknowledged(60)
	j.check()
	for status, n := range j.seen {
		if status != 200 && status != 202 {
			t.Errorf("status %d was answered %d times", status, n)
		}
	}
}

// startWithSyncs starts a child that can be told what becomes of its syncs.
func startWithSyncs(t *testing.T, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSyncsCanBeWatched$", "-test.v")
	cmd.Env = append(os.Environ(), envFaults+"=probe")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "SKIP") {
		t.Skipf("%v: %s", err, out)
	}
	return startChild(t, dir, envFaults+"=syncs")
}

// TestSyncsCanBeWatched says in a process of its own whether they can.
func TestSyncsCanBeWatched(t *testing.T) {
	if os.Getenv(envFaults) != "probe" {
		t.Skip("it runs as the child of other tests")
	}
	if _, err := faults.WatchSyncs(); err != nil {
		t.Skip(err)
	}
}

// TestAFailingSyncStopsTheProgramByName lets every sync fail with an error, and then
// work again.
func TestAFailingSyncStopsTheProgramByName(t *testing.T) {
	skipLong(t)
	t.Parallel()
	c := startWithSyncs(t, t.TempDir())
	j := newJudge(c)
	j.acknowledged(100)
	c.order("fail", int(syscall.EIO))
	if out := c.stopped(); !strings.Contains(out, syscall.EIO.Error()) {
		t.Fatalf("it does not say why it has stopped: %s", c.tail())
	}
	j.restart()
	j.acknowledged(100)
	j.check()
}

// TestADiskThatDiesLosesNothingAcknowledged takes the disk away while the program works.
// The program may crash then: what is written through maps has no other way to fail.
func TestADiskThatDiesLosesNothingAcknowledged(t *testing.T) {
	goneFromOneMomentToTheNext(t)
	t.Parallel()
	dir, d := faultyDisk(t, faults.DiskOptions{})
	c := startChild(t, dir)
	j := newJudge(c)
	for range 3 {
		j.acknowledged(100)
		j.dying.Store(true)
		if err := faults.CutPower(d.Power()); err != nil {
			t.Fatal(err)
		}
		_ = c.cmd.Wait() // an exit status is an error
		if code := c.cmd.ProcessState.ExitCode(); code != 1 && code != 2 {
			t.Fatalf("the program ended with status %d: %s", code, c.tail())
		}
		if err := d.Restore(); err != nil {
			t.Fatal(err)
		}
		c = j.restart()
	}
	j.acknowledged(100)
	j.check()
}

var disksGone = flag.Bool("disks.gone", false, "also take everything away from a program at once; what cannot be had fails then, instead of being skipped")

// goneFromOneMomentToTheNext skips what has no sure end: the engine writes its tables
// and logs through maps, and where there is no block left behind a page, the system
// ends the process.
func goneFromOneMomentToTheNext(t *testing.T) {
	t.Helper()
	if !*disksGone {
		t.Skip("a disk that is gone from one moment to the next may end the process in the middle of the engine: -disks.gone")
	}
}
