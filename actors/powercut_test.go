package actors_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/faults"
)

var (
	powerCuts = flag.Int("powercuts", fewCuts, "how often TestPowerCuts cuts the power of the disk; 0 skips it; with another number than this, it fails where it would be skipped")
	powerSeed = flag.Uint64("powerseed", 0, "seed of TestPowerCuts; 0 takes one from the clock")
)

// fewCuts is what TestPowerCuts does when nobody asks for it.
const fewCuts = 5

// envPowerLies makes TestPowerCuts run its first child without syncs.
const envPowerLies = "DORMOUSE_POWER_LIES"

// TestPowerCuts is the kill loop on a disk whose power is cut: what no sync has made
// durable is gone. Cuts are at a chosen point inside of the process, at a random moment,
// while it starts, several in a row and each a bit later, and soon after a start behind
// a kill. What was acknowledged must be there.
func TestPowerCuts(t *testing.T) {
	if *powerCuts == 0 || testing.Short() && *powerCuts == fewCuts {
		t.Skip("give -powercuts=N to cut the power N times")
	}
	t.Parallel()
	seed := *powerSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	l := newPowerLoop(t, rand.New(rand.NewPCG(seed, 2)))
	patience, last := 20*time.Second, 20*time.Second
	if *powerCuts < 20 {
		patience = 2 * time.Second
	}
	if os.Getenv(envPowerLies) == "" {
		l.clients.start()
	} else {
		last = patience
		l.lie()
	}
	for n := 0; l.cuts < *powerCuts; n++ {
		l.once(n)
		if name := l.clients.stuck(); name != "" {
			l.fail("not answered by %d children: %s", stuckHours, name)
		}
	}
	l.spawn("")
	l.ready()
	l.judge(patience, last)
	l.report(seed)
}

// TestPowerCutsFindWhatADiskThatLiesLoses shows that the loop can fail: the same with a
// child whose commits are not synced.
func TestPowerCutsFindWhatADiskThatLiesLoses(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	t.Parallel()
	if err := newDisk(t).Close(); err != nil { // or skip, as the child would
		t.Fatal(err)
	}
	cmd := faults.Child("TestPowerCuts", 2*time.Minute, envPowerLies+"=1")
	cmd.Args = append(cmd.Args, "-powercuts=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("lost or wrong:")) {
		t.Errorf("nothing is lost (%v):\n%s", err, out)
	}
	t.Logf("expected, and it came: a child that does not sync fails the test of power cuts:\n%s", found(out))
}

// found returns what a child that must fail has said, without the words of a test that
// fails.
func found(out []byte) string {
	var lines []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if at := strings.Index(line, "lost or wrong:"); at >= 0 {
			lines = append(lines, fmt.Sprintf("  %.200s …", line[at:]))
		}
	}
	return strings.Join(lines, "\n")
}

// lie runs a child that does not sync what it acknowledges, until it has acknowledged a
// lot, and cuts the power. What is lost then is not waited for.
func (l *powerLoop) lie() {
	l.clients.looks = 1
	l.clients.startPlain()
	l.extra = []string{envChildLies + "=1"}
	l.spawn("")
	l.ready()
	l.clients.acknowledged(300)
	l.cutAfter(0)
	l.extra = nil
}

// powerLoop is a kill loop that cuts the power instead.
type powerLoop struct {
	*killLoop
	disk *faults.Disk

	cuts, atStarts, afterKills int
	// marked says that the present child has its marks. forgotten counts the cuts that
	// took the one that was not synced, marks all that might.
	marked           bool
	forgotten, marks int
}

func newPowerLoop(t *testing.T, r *rand.Rand) *powerLoop {
	l := &powerLoop{killLoop: newKillLoop(t, r), disk: newDisk(t)}
	l.dir, l.power = filepath.Join(l.disk.Path(), "data"), l.disk.Power()
	t.Cleanup(func() { // before the disk goes
		if l.child != nil && l.child.ProcessState == nil {
			l.kill()
		}
	})
	return l
}

// newDisk skips the test where disks cannot be made.
func newDisk(t *testing.T) *faults.Disk {
	t.Helper()
	d, err := faults.NewDisk(t.TempDir(), faults.DiskOptions{})
	if errors.Is(err, faults.ErrUnavailable) && *powerCuts == fewCuts {
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
	return d
}

// once starts a child and cuts its power, or starts several. Children live shortly here,
// so an hour lasts for two of them: what is kept for a day has to be asked for in time.
func (l *powerLoop) once(n int) {
	if n%2 == 1 {
		l.hour--
	}
	switch n % 4 {
	case 0:
		l.cutAtPoint(n / 4)
	case 1:
		l.spawn("")
		l.ready()
		l.cutAfter(time.Duration(20+l.r.IntN(600)) * time.Millisecond)
	case 2:
		l.cutStarts()
	case 3:
		l.cutAfterKill()
	}
}

// cutAfterKill kills a child, and cuts the power of the next one soon after it has
// begun to answer: it may have read what the killed one had not synced yet.
func (l *powerLoop) cutAfterKill() {
	l.spawn("")
	l.ready()
	l.waitOrKill(time.Duration(20+l.r.IntN(200)) * time.Millisecond)
	l.hour--
	l.spawn("")
	l.ready()
	l.cutAfter(time.Duration(l.r.IntN(40)) * time.Millisecond)
	l.afterKills++
}

// cutAtPoint lets the child cut the power itself, if it comes to its point soon.
func (l *powerLoop) cutAtPoint(n int) {
	points := actors.Points()
	p := points[n%len(points)]
	l.spawn(fmt.Sprintf("%s:%d", p, 1+l.r.IntN(min(passes(p), 40)))) // a disk on a disk is slow
	if p == actors.PointClosing {
		l.ready()
		l.mark()
		l.askToStop()
	}
	l.aimed++
	l.cutAfter(2 * time.Second)
}

// cutStarts cuts the power of children that are not ready yet, of each one a bit later
// in its life, until one is.
func (l *powerLoop) cutStarts() {
	for d := 10 * time.Millisecond; ; d += d/3 + time.Duration(l.r.IntN(8))*time.Millisecond {
		l.spawn("")
		ready := l.begins(d)
		l.cutAfter(0)
		if !ready {
			l.atStarts++
		}
		if ready || l.cuts >= *powerCuts {
			return
		}
		l.hour-- // that it was there for nobody takes no hour
	}
}

// cutAfter cuts the power after d, unless the child does, and gives it back when the
// child is gone.
func (l *powerLoop) cutAfter(d time.Duration) {
	l.mark()
	over, cut := time.After(d), false
	for !l.gone() {
		select {
		case <-l.exited:
		case <-over:
			cut = true
			l.cut()
		case <-time.After(time.Duration(1+l.r.IntN(8)) * time.Millisecond):
			l.writeSome()
		}
	}
	l.judgeEnd(cut)
	// One that was asked to stop, and did before its point, has power still.
	if err := faults.CutPower(l.power); err != nil {
		l.t.Fatal(err)
	}
	if err := l.disk.Restore(); err != nil {
		l.t.Fatal(err)
	}
	l.checkMarks()
	if len(l.extra) == 0 { // what a liar leaves may be anything
		l.examine()
	}
}

// cut cuts the power and kills the child, which must not answer any more then: a sync
// that is under way when a file system is shut down may succeed for nothing.
func (l *powerLoop) cut() {
	if err := l.child.Process.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
		l.t.Fatal(err)
	}
	if err := faults.CutPower(l.power); err != nil {
		l.t.Fatal(err)
	}
	l.kill()
}

// writeSome lets the system write some of what waits in memory, as it may at any time:
// pages of the logs into the cache of the drive, and blocks of the cache onto the drive.
func (l *powerLoop) writeSome() {
	logs, err := filepath.Glob(filepath.Join(l.dir, "*.mem"))
	if err != nil {
		l.t.Fatal(err)
	}
	drive := filepath.Join(l.power, "disk")
	for _, path := range append(logs, drive) {
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			continue // removed a moment ago
		}
		size := int64(1+l.r.IntN(64)) << 12
		if path == drive {
			size = info.Size() / 8
		}
		// Without power it fails, and nothing depends on it.
		_ = faults.WritePart(path, l.r.Int64N(info.Size())&^4095, size)
	}
}

// mark leaves two files on the disk of which the next cut must take one and leave the
// other, to see that it was one. It fails when a child has cut the power before.
func (l *powerLoop) mark() {
	l.marked = l.writeMark("synced", true) == nil && l.writeMark("unsynced", false) == nil
}

func (l *powerLoop) writeMark(name string, sync bool) error {
	f, err := os.OpenFile(filepath.Join(l.disk.Path(), name), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(l.markText()); err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (l *powerLoop) markText() string { return fmt.Sprintf("before cut %06d", l.cuts) }

// checkMarks looks for the marks after the cut.
func (l *powerLoop) checkMarks() {
	if l.marked {
		if content, err := os.ReadFile(filepath.Join(l.disk.Path(), "synced")); err != nil || string(content) != l.markText() {
			l.fail("the cut has taken what was synced: %q, %v", content, err)
		}
		l.marks++
		if content, err := os.ReadFile(filepath.Join(l.disk.Path(), "unsynced")); err != nil || string(content) != l.markText() {
			l.forgotten++
		}
	}
	l.cuts++
}
