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
	exited  chan error
	// extra is added to the environment of each child, power is what a child cuts at
	// its point.
	extra []string
	power string

	hits     map[string]int
	byPoint  int
	byClock  int
	slowest  time.Duration
	restarts int
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
		l.byClock++
		return
	}
	if strings.HasPrefix(spec, actors.PointClosing.String()) {
		l.ready()
		if err := l.child.Process.Signal(syscall.SIGTERM); err != nil {
			l.t.Fatal(err)
		}
	}
	l.waitOrKill(3 * time.Second)
	l.byPoint++
	l.noteHit()
}

// noteHit counts the point at which a child has died, if that was one.
func (l *killLoop) noteHit() {
	hit, err := os.ReadFile(l.log.Name() + ".hit")
	if err != nil {
		return
	}
	l.hits[string(hit)]++
	if err := os.Remove(l.log.Name() + ".hit"); err != nil {
		l.t.Fatal(err)
	}
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
	l.exited = make(chan error, 1)
	go func(c *exec.Cmd, exited chan<- error) { exited <- c.Wait() }(l.child, l.exited)
}

// ready waits until the child answers.
func (l *killLoop) ready() {
	if !l.readyWithin(20 * time.Second) {
		l.fail("start %d is not ready after 20 s", l.restarts)
	}
}

// readyWithin waits for d, or until the child answers, and reports whether it does.
func (l *killLoop) readyWithin(d time.Duration) bool {
	began := time.Now()
	for time.Since(began) < d {
		if resp, err := http.Get("http://" + l.ingress + "/restate/health"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				l.slowest = max(l.slowest, time.Since(began))
				return true
			}
		}
		select {
		case err := <-l.exited:
			l.fail("start %d needs a hand: %v", l.restarts, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}

// waitOrKill waits for the child to end, and kills it after d.
func (l *killLoop) waitOrKill(d time.Duration) {
	select {
	case <-l.exited:
	case <-time.After(d):
		if err := l.child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			l.t.Fatal(err) // else it has died at its point in this moment
		}
		<-l.exited
	}
	if s, ok := l.child.ProcessState.Sys().(syscall.WaitStatus); ok && !s.Signaled() && s.ExitStatus() != 0 {
		l.fail("child %d ended by itself with status %d", l.restarts, s.ExitStatus())
	}
	l.examine()
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
	if err := l.child.Process.Signal(syscall.SIGTERM); err != nil {
		l.t.Fatal(err)
	}
	l.waitOrKill(30 * time.Second)
}
