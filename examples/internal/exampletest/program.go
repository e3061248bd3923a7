package exampletest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// envProgram makes the test binary run the program instead of the tests.
const envProgram = "DORMOUSE_EXAMPLE_RUN_MAIN"

// Main is for TestMain: it runs the tests, or program in a process that Start
// has started, and returns the exit code.
func Main(m *testing.M, program func()) int {
	if os.Getenv(envProgram) != "" {
		program()
		return 0
	}
	return m.Run()
}

// Program is a running example. Its methods may be used concurrently, except
// for Kill and Stop.
type Program struct {
	// Ingress and Admin are the URLs of the two ports, without a slash at the
	// end.
	Ingress, Admin string

	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}

	mu      sync.Mutex
	lines   []string
	printed chan struct{} // closed and replaced by each line
}

// Start runs the example on the data directory dir, on free ports, and waits
// until it serves. It is killed at the end of the test.
func Start(t *testing.T, dir string, flags ...string) *Program {
	t.Helper()
	flags = append([]string{"-ingress", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-data", dir}, flags...)
	p := &Program{t: t, cmd: exec.Command(os.Args[0], flags...), ended: make(chan struct{}), printed: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), envProgram+"=1")
	output, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); _ = w.Close() }()
	go func() { p.read(output); close(p.ended) }()
	t.Cleanup(p.Kill)
	at := p.Await(`serving ingress=(\S+) admin=(\S+)`)
	p.Ingress, p.Admin = "http://"+at[1], "http://"+at[2]
	return p
}

// Kill ends the program as a power cut would, and waits until it is gone. It
// may be called again.
func (p *Program) Kill() { p.end(syscall.SIGKILL) }

// Stop ends the program politely and returns its exit code.
func (p *Program) Stop() int { return p.end(syscall.SIGTERM) }

func (p *Program) end(s syscall.Signal) int {
	_ = p.cmd.Process.Signal(s)
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

// Await waits until the program has printed, or logged, a line that matches the
// pattern, and returns the first such line and its groups.
func (p *Program) Await(pattern string) []string {
	p.t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		printed := p.printed
		p.mu.Unlock()
		if found := p.Printed(pattern); len(found) > 0 {
			return found[0]
		}
		select {
		case <-printed:
		case <-late:
			p.t.Fatalf("the program has not printed %q:\n%s", pattern, p.output())
		}
	}
}

// Printed returns all lines so far that match the pattern, each with its
// groups.
func (p *Program) Printed(pattern string) [][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := regexp.MustCompile(pattern)
	var found [][]string
	for _, l := range p.lines {
		if at := line.FindStringSubmatch(l); at != nil {
			found = append(found, at)
		}
	}
	return found
}

func (p *Program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

func (p *Program) read(output io.Reader) {
	for lines := bufio.NewScanner(output); lines.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		close(p.printed)
		p.printed = make(chan struct{})
		p.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, output)
}
