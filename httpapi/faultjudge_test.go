package httpapi_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// faultJudge keeps requests under way while a fault lasts, remembers what was
// acknowledged, and looks for it afterwards: all of it must be there.
type faultJudge struct {
	t     *testing.T
	child atomic.Pointer[child]
	next  atomic.Int64
	stop  atomic.Bool
	// dying says that the disk is going: answers do not count until the next child. A
	// sync that is under way when a file system is shut down may still succeed, and
	// what it has synced is lost: of 600 files to which plain writes and syncs went,
	// one lost its last record. A power cut ends the system with the disk.
	dying atomic.Bool
	wg    sync.WaitGroup

	mu sync.Mutex
	// sent holds the number that each accepted invocation notes, called what was
	// answered under each idempotency key.
	sent   map[string]string
	called map[string]string
	seen   map[int]int // answers by status, 0 for none
}

// newJudge puts a child under load.
func newJudge(c *child) *faultJudge {
	j := &faultJudge{t: c.t, sent: map[string]string{}, called: map[string]string{}, seen: map[int]int{}}
	j.child.Store(c)
	for i := range 6 {
		key := fmt.Sprint("k", i)
		j.wg.Go(func() {
			for !j.stop.Load() {
				j.once(key)
			}
		})
	}
	c.t.Cleanup(j.rest)
	return j
}

// rest ends the load.
func (j *faultJudge) rest() {
	j.stop.Store(true)
	j.wg.Wait()
}

// once sends a note or calls for one. A refusal is no reason to hurry.
func (j *faultJudge) once(key string) {
	c, n := j.child.Load(), fmt.Sprint(j.next.Add(1))
	path := "/Desk/" + key + "/note"
	var r reply
	if len(n)%2 == 0 {
		r = c.call(path+"/send", n)
	} else {
		r = c.call(path, n, "Idempotency-Key", "note-"+n)
	}
	if j.dying.Load() {
		r.status = 0
	}
	j.mu.Lock()
	j.seen[r.status]++
	switch r.status {
	case 202:
		j.sent[r.header.Get("X-Restate-Id")] = n
	case 200:
		j.called[n] = path
	}
	j.mu.Unlock()
	if r.status != 200 && r.status != 202 {
		<-time.After(5 * time.Millisecond)
	}
}

// count returns how often a status was answered.
func (j *faultJudge) count(status int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen[status]
}

// acknowledged waits until n more were.
func (j *faultJudge) acknowledged(n int) {
	j.t.Helper()
	n += j.count(200) + j.count(202)
	eventually(j.t, "acknowledgements", func() bool { return j.count(200)+j.count(202) >= n })
}

// check looks for everything that was acknowledged, in the child and in the next one.
func (j *faultJudge) check(env ...string) {
	j.t.Helper()
	j.rest()
	c := j.child.Load()
	j.look(c)
	c.kill()
	j.look(startChild(j.t, c.dir, env...))
	verdict := "good: all that was acknowledged is there"
	if j.t.Failed() {
		verdict = "FAILED"
	}
	j.t.Logf("%s: %d; answers: %s", verdict, len(j.sent)+len(j.called), answers(j.seen))
}

// answers names numbers of answers by their status.
func answers(seen map[int]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(seen)) {
		name := fmt.Sprint("status ", status)
		if status == 0 {
			name = "no answer"
		}
		parts = append(parts, fmt.Sprintf("%s: %d", name, seen[status]))
	}
	return strings.Join(parts, ", ")
}

func (j *faultJudge) look(c *child) {
	j.t.Helper()
	lost := 0
	for id, n := range j.sent {
		if r := c.attach(id); r.status != 200 || r.body != n {
			j.t.Errorf("%s was accepted and gives %v, want %s", id, r, n)
			lost++
		}
	}
	before := c.notes()
	for n, path := range j.called {
		if r := c.call(path, n, "Idempotency-Key", "note-"+n); r.status != 200 || r.body != n {
			j.t.Errorf("note %s was answered and gives %v", n, r)
			lost++
		}
	}
	after := c.notes()
	for n := range j.called {
		if after[n] > before[n] {
			j.t.Errorf("note %s was answered and is made again", n)
		}
	}
	if lost > 0 {
		j.t.Fatalf("%d of %d lost", lost, len(j.sent)+len(j.called))
	}
}

// notes counts how often each number was noted.
func (c *child) notes() map[string]int {
	notes := map[string]int{}
	for _, n := range c.lines("note") {
		notes[n]++
	}
	return notes
}

// restart starts a child where the last one has ended.
func (j *faultJudge) restart(env ...string) *child {
	j.t.Helper()
	c := startChild(j.t, j.child.Load().dir, env...)
	j.child.Store(c)
	j.dying.Store(false)
	return c
}

// stopped waits until a child ends by itself and returns what it wrote. A crash is no
// such end.
func (c *child) stopped() string {
	c.t.Helper()
	ended := make(chan struct{})
	go func() {
		_ = c.cmd.Wait() // an exit status is an error
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience / 2):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // it writes its goroutines
		<-ended
		c.t.Fatalf("the program does not stop: %s", c.tail())
	}
	out := c.output.String()
	if code := c.cmd.ProcessState.ExitCode(); code != 1 || strings.Contains(out, "panic:") || strings.Contains(out, "fatal error:") {
		c.t.Fatalf("the program ended with status %d: %s", code, c.tail())
	}
	return out
}

// tail is the end of what a child wrote that has ended, without its requests. Of a crash
// it is the beginning, which names the cause.
func (c *child) tail() string {
	var b strings.Builder
	for line := range strings.Lines(c.output.String()) {
		if !strings.Contains(line, "msg=request") {
			b.WriteString(line)
		}
	}
	text := b.String()
	for _, crash := range []string{"panic: ", "fatal error: ", "SIGBUS"} {
		if at := strings.Index(text, crash); at >= 0 {
			return fmt.Sprintf("%.4000s", text[at:])
		}
	}
	return text[max(0, len(text)-4000):]
}

// descriptors returns how many files a child has open.
func (c *child) descriptors() int {
	c.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	if err != nil {
		c.t.Skipf("the files of a process cannot be counted: %v", err)
	}
	return len(list)
}
