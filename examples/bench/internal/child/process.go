package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Process is a server that is started, and started again after a crash. Its
// methods may be called concurrently.
type Process struct {
	Name string
	Args []string
	// Log is the file that its output is appended to.
	Log string
	// Listens are the addresses that it will listen on, where nothing may listen
	// before: who answers there has to be this process.
	Listens []string
	// Ended, if set, is called when the process ends and neither Kill nor Stop has
	// asked for that. The error names it, its exit and the end of its log.
	Ended func(error)

	mu  sync.Mutex
	now *life // nil while it is not running
}

// life is one start of a process.
type life struct {
	cmd *exec.Cmd
	// log is where its output begins in the file.
	log int64
	// asked says that its end is wanted.
	asked bool
	// over is closed when it has been waited for; then err is how it ended.
	over chan struct{}
	err  error
}

// Check reports what would keep the process from starting.
func (p *Process) Check() error {
	if _, err := exec.LookPath(p.Args[0]); err != nil {
		return fmt.Errorf("%s cannot be started: %w; build it with go build -o bin/ . ./cmd/..., or name another one", p.Args[0], err)
	}
	for _, address := range p.Listens {
		if err := free(address); err != nil {
			return err
		}
	}
	return nil
}

// Start starts the process. It dies with this one.
func (p *Process) Start() (err error) {
	if err := p.Check(); err != nil {
		return err
	}
	log, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	about, err := log.Stat()
	if err != nil {
		return err
	}
	cmd := exec.Command(p.Args[0], p.Args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Args[0], err)
	}
	l := &life{cmd: cmd, log: about.Size(), over: make(chan struct{})}
	p.mu.Lock()
	p.now = l
	p.mu.Unlock()
	go p.wait(l)
	return nil
}

// wait notices the end of a life.
func (p *Process) wait(l *life) {
	l.err = l.cmd.Wait()
	p.mu.Lock()
	asked := l.asked
	if p.now == l {
		p.now = nil
	}
	p.mu.Unlock()
	if !asked {
		// What it has started goes with it.
		_ = syscall.Kill(-l.cmd.Process.Pid, syscall.SIGKILL)
		if p.Ended != nil {
			p.Ended(p.failure(l))
		}
	}
	close(l.over)
}

// failure is the error of an end that nobody wanted.
func (p *Process) failure(l *life) error {
	text := fmt.Sprintf("%s (%s) has ended by itself: %s", p.Name, strings.Join(p.Args, " "), exit(l.err))
	end := lastLines(p.Log, l.log)
	if end == "" {
		return fmt.Errorf("%s; it has written nothing to %s", text, p.Log)
	}
	return fmt.Errorf("%s; the end of %s:\n%s", text, p.Log, end)
}

// ask sends a signal to the process, if it runs, as one that may end it.
func (p *Process) ask(s syscall.Signal) *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		return nil
	}
	p.now.asked = true
	// It fails when the process has just ended, which is what is wanted.
	_ = signal(p.now.cmd, s)
	return p.now
}

// Kill ends the process as a crash would, if it runs, and waits for its end.
func (p *Process) Kill() {
	if l := p.ask(syscall.SIGKILL); l != nil {
		<-l.over
	}
}

// Stop lets the process end in order.
func (p *Process) Stop() error {
	l := p.ask(syscall.SIGTERM)
	if l == nil {
		return fmt.Errorf("%s does not run", p.Name)
	}
	<-l.over
	if l.err != nil {
		return p.failure(l)
	}
	return nil
}

// PID is "" while the process is not running.
func (p *Process) PID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		return ""
	}
	return strconv.Itoa(p.now.cmd.Process.Pid)
}
