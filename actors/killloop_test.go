package actors_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/faults"
)

var (
	kills    = flag.Int("kills", 0, "how often TestKillLoop kills the runtime; 0 skips it")
	killDir  = flag.String("killdir", "", "where TestKillLoop keeps its data and the log of its children; empty keeps neither")
	killSeed = flag.Uint64("killseed", 0, "seed of TestKillLoop; 0 takes one from the clock")
)

// TestKillLoop runs the whole runtime as a child process under load and kills
// it, again and again: in half of the runs at a chosen pass of a chosen point
// inside the process, in the other half at a random moment. At the end nothing
// acknowledged may be lost, no completed step may have had its effect twice, no
// two exclusive invocations of a key may have overlapped, and every start must
// have worked without a hand.
func TestKillLoop(t *testing.T) {
	if *kills == 0 {
		t.Skip("give -kills=N to kill the runtime N times")
	}
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	l := newKillLoop(t, rand.New(rand.NewPCG(seed, 1)))
	l.clients.start()
	for n := range *kills {
		l.once(n)
		if name := l.clients.stuck(); name != "" {
			l.fail("not answered by %d children: %s", stuckHours, name)
		}
	}
	l.spawn("")
	l.ready()
	l.judge(20*time.Second, 20*time.Second)
	l.report(seed)
}

// judge lets the clients end with the present child, compares what they were told
// with what there is, and ends the child. patience and last are those of finish.
func (l *killLoop) judge(patience, last time.Duration) {
	if l.clients.finish(patience, last, l.hourLater) {
		l.hourLater() // what was delayed is due
		l.clients.check()
	}
	l.end()
}

type killLoop struct {
	t       *testing.T
	r       *rand.Rand
	dir     string
	ingress string
	admin   string
	world   *killWorld
	clients *killClients
	child   *exec.Cmd
	log     *os.File
	exited  chan struct{} // closed when the child is gone
	asked   bool          // the child was asked to stop
	// extra is added to the environment of each child, power is what a child cuts at
	// its point.
	extra []string
	power string

	hits map[string]int
	// aimed counts the children that were to die at a point, byPoint those that did,
	// byClock those that were killed.
	aimed, byPoint, byClock int
	// restarts counts the starts, answered those whose child came to answer, slowest is
	// how long the slowest of these took.
	restarts, answered int
	slowest            time.Duration
	// examined counts the examinations, examining is how long the longest took.
	examined  int
	examining time.Duration
	hour      int // that of the present child
}

func newKillLoop(t *testing.T, r *rand.Rand) *killLoop {
	w := newKillWorld(t)
	home := *killDir
	if home == "" {
		home = t.TempDir()
	}
	l := &killLoop{t: t, r: r, dir: filepath.Join(home, "data"), ingress: freeAddr(t), admin: freeAddr(t), world: w, hits: map[string]int{}}
	l.clients = newKillClients(t, w, "http://"+l.ingress, "http://"+l.admin)
	log, err := os.Create(filepath.Join(home, "child.log"))
	if err != nil {
		t.Fatal(err)
	}
	l.log = log
	t.Cleanup(func() { log.Close() })
	return l
}

func freeAddr(t *testing.T) string {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	return n.Addr().String()
}

// once starts a child, lets it die, and waits for that.
func (l *killLoop) once(n int) {
	spec := ""
	points := actors.Points()
	if n%2 == 0 {
		p := points[(n/2)%len(points)]
		spec = fmt.Sprintf("%s:%d", p, 1+l.r.IntN(passes(p)))
	}
	l.spawn(spec)
	if spec == "" {
		l.ready()
		l.waitOrKill(time.Duration(20+l.r.IntN(400)) * time.Millisecond)
		return
	}
	l.aimed++
	if strings.HasPrefix(spec, actors.PointClosing.String()) {
		l.ready()
		l.askToStop()
	} else if !l.begins(startPatience) && !l.gone() { // else it may have died in its start
		l.fail("start %d is not ready after %v", l.restarts, startPatience)
	}
	l.waitOrKill(3 * time.Second)
}

// noteHit counts the point at which a child has died, and says whether that was one.
func (l *killLoop) noteHit() bool {
	hit, err := os.ReadFile(l.log.Name() + ".hit")
	if err != nil {
		return false
	}
	l.hits[string(hit)]++
	if err := os.Remove(l.log.Name() + ".hit"); err != nil {
		l.t.Fatal(err)
	}
	return true
}

// passes bounds the pass at which a point kills: what start-up passes once is
// hit at once.
func passes(p actors.Point) int {
	switch p {
	case actors.PointGuardDone, actors.PointClosing:
		return 1
	case actors.PointDeadlocked:
		return 2
	case actors.PointRecoveryRow:
		return 3
	case actors.PointListeners, actors.PointWorkflowRemoved:
		return 4
	case actors.PointSwept, actors.PointExpiring:
		return 8
	case actors.PointTimerFired, actors.PointUnloaded, actors.PointParked, actors.PointHandedOver:
		return 15
	default:
		return 200
	}
}

func (l *killLoop) spawn(point string) {
	l.restarts++
	l.hour++
	l.clients.hour.Store(int64(l.hour))
	l.child = faults.Child("TestKillChild", 0, envChildDir+"="+l.dir, envChildIngress+"="+l.ingress, envChildAdmin+"="+l.admin,
		envChildWorld+"="+l.world.server.URL, envChildPoint+"="+point, envChildHit+"="+l.log.Name()+".hit", envChildPower+"="+l.power,
		fmt.Sprintf("%s=%d", envChildHours, l.hour))
	l.child.Env = append(l.child.Env, l.extra...)
	l.child.Stdout, l.child.Stderr = l.log, l.log
	if err := l.child.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.exited, l.asked = make(chan struct{}), false
	go func(c *exec.Cmd, exited chan<- struct{}) {
		_ = c.Wait() // judgeEnd looks at how it has ended
		close(exited)
	}(l.child, l.exited)
}

// startPatience is how long a start may take.
const startPatience = 20 * time.Second

// ready waits until the child answers.
func (l *killLoop) ready() {
	switch {
	case l.begins(startPatience):
	case l.gone():
		l.fail("start %d needs a hand: %v", l.restarts, l.child.ProcessState)
	default:
		l.fail("start %d is not ready after %v", l.restarts, startPatience)
	}
}

// begins waits for d, or until the child answers or is gone, and reports whether it
// answers.
func (l *killLoop) begins(d time.Duration) bool {
	began := time.Now()
	for time.Since(began) < d && !l.gone() {
		if resp, err := http.Get("http://" + l.ingress + "/restate/health"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				l.slowest = max(l.slowest, time.Since(began))
				l.answered++
				return true
			}
		}
		select {
		case <-l.exited:
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}

// gone reports whether the child has ended.
func (l *killLoop) gone() bool {
	select {
	case <-l.exited:
		return true
	default:
		return false
	}
}

func (l *killLoop) askToStop() {
	l.asked = true
	if err := l.child.Process.Signal(syscall.SIGTERM); err != nil {
		l.t.Fatal(err)
	}
}

// waitOrKill waits for the child to end, kills it after d, and judges what it was.
func (l *killLoop) waitOrKill(d time.Duration) {
	killed := false
	select {
	case <-l.exited:
	case <-time.After(d):
		killed = true
		l.kill()
	}
	l.judgeEnd(killed)
	l.examine()
}

// kill kills the child, which may have died at its point in this moment.
func (l *killLoop) kill() {
	if err := l.child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		l.t.Fatal(err)
	}
	<-l.exited
}

// judgeEnd fails the test for a child that has ended in another way than it was to: by
// the loop, at its point, or because it was asked.
func (l *killLoop) judgeEnd(killed bool) {
	status, ok := l.child.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		l.fail("how child %d has ended is unknown", l.restarts)
	}
	hit := l.noteHit()
	switch dead := status.Signaled() && status.Signal() == syscall.SIGKILL; {
	case hit && (dead || l.power != ""): // without power it may stop before it is killed
		l.byPoint++
	case killed && dead:
		l.byClock++
	case l.asked && status.Exited() && status.ExitStatus() == 0:
	default:
		l.fail("child %d ended by itself: %v", l.restarts, l.child.ProcessState)
	}
}

func (l *killLoop) fail(format string, a ...any) {
	l.t.Helper()
	tail, err := os.ReadFile(l.log.Name())
	if err != nil {
		l.t.Error(err)
	}
	l.t.Fatalf(format+"\nlast of its log:\n%s", append(a, tail[max(0, len(tail)-4000):])...)
}

// hourLater replaces the child by one that nobody kills, and that lives an hour
// later.
func (l *killLoop) hourLater() {
	l.end()
	l.spawn("")
	l.ready()
}

// end stops the last child cleanly.
func (l *killLoop) end() {
	l.askToStop()
	kills := l.byClock
	if l.waitOrKill(30 * time.Second); l.byClock > kills {
		l.fail("child %d has not stopped within 30 s", l.restarts)
	}
}
