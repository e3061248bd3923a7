package dormousetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// defaultPatience is that of Run.
const defaultPatience = 30 * 24 * time.Hour

// codeGrace is how long Kill waits for code of the old runtime, which a real
// kill would have ended.
const codeGrace = time.Second

// TestEnvironment is a runtime inside of a test, with its store and its two
// ports. Methods that start or stop the runtime (Bind, Restart, Crash, Stop, Kill)
// fail the test when they cannot, so they belong to the goroutine of the test;
// the others may be called concurrently.
type TestEnvironment struct {
	t        *testing.T
	settings settings
	output   *testOutput
	disk     disk
	ingress  *port
	admin    *port
	http     *http.Client
	client   *ingress.Client

	mu       sync.Mutex // guards the rest; nobody waits while holding it
	services []restate.ServiceDefinition
	// life is nil while the runtime is down; dead are the goroutines of lives
	// that were killed, lives all of them.
	life  *life
	lives []*life
	dead  []chan struct{}
}

// Env is the environment under its short name.
type Env = TestEnvironment

// Start runs services on loopback ports, a data directory of the test and the
// real clock, until the test ends. It fails the test when that is not possible.
// It cannot be used in a synctest bubble: that is what Run is for.
func Start(t *testing.T, services ...restate.ServiceDefinition) *TestEnvironment {
	t.Helper()
	r := httpapi.NewRestate()
	for _, s := range services {
		r.Bind(s)
	}
	return StartWithOptions(t, r)
}

// StartWithOptions is Start for what is bound to restateSrv, whose logger is
// used unless an option names another one. Its data directory and addresses are
// not used.
func StartWithOptions(t *testing.T, restateSrv *httpapi.Restate, opts ...TestEnvironmentOption) *TestEnvironment {
	t.Helper()
	s, config := newSettings(t, opts), restateSrv.Config()
	s.runtime.LogReplay = s.runtime.LogReplay || config.Runtime.LogReplay
	if s.runtime.Logger == nil {
		s.runtime.Logger = config.Logger
	}
	if deadline, ok := t.Deadline(); ok && s.patience == 0 {
		left := time.Until(deadline)
		s.patience = left - max(left/20, 2*time.Second)
	}
	root := t.TempDir() // before the environment, which is closed before it is removed
	e := newEnvironment(t, s)
	e.disk = &directoryDisk{root: root, logger: e.settings.runtime.Logger}
	e.ingress, e.admin = e.open(), e.open()
	e.connect(&http.Transport{}, "http://"+e.ingress.address.String(), "http://"+e.admin.address.String())
	e.Bind(restateSrv.Services()...)
	return e
}

// Run calls body in a testing/synctest bubble, with an environment in memory
// that body gives its services with Bind, and ends the environment after it. In
// the bubble time stands still while anything can go on, and leaps to the next
// timer when everything waits; synctest.Wait waits until nothing can go on. The
// HTTP client of the environment is the only way to its ports.
func Run(t *testing.T, body func(t *testing.T, env *Env), opts ...TestEnvironmentOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSettings(t, opts)
		if s.patience == 0 {
			s.patience = defaultPatience
		}
		e := newEnvironment(t, s)
		e.disk = &memoryDisk{}
		e.ingress = &port{address: memoryAddress("ingress.test:80")}
		e.admin = &port{address: memoryAddress("admin.test:80")}
		e.connect(&http.Transport{DialContext: e.dial}, "http://ingress.test", "http://admin.test")
		body(t, e)
	})
}

func newEnvironment(t *testing.T, s settings) *TestEnvironment {
	e := &TestEnvironment{t: t, settings: s, output: &testOutput{out: t.Output()}, http: &http.Client{}}
	e.settings.runtime.Logger = s.logger(e.output)
	t.Cleanup(e.close)
	if s.patience > 0 {
		gaveUp := make(chan struct{})
		watch := time.AfterFunc(s.patience, func() {
			defer close(gaveUp)
			e.giveUp()
		})
		t.Cleanup(func() {
			if !watch.Stop() {
				<-gaveUp
			}
		})
	}
	return e
}

// open opens a loopback port, for as long as the test runs.
func (e *TestEnvironment) open() *port {
	e.t.Helper()
	l, err := new(net.ListenConfig).Listen(e.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		e.t.Fatalf("dormousetest: open a port: %v", err)
	}
	p, ended := &port{address: l.Addr()}, make(chan struct{})
	go func() {
		defer close(ended)
		p.forward(l)
	}()
	e.t.Cleanup(func() {
		_ = l.Close() // it ends forward
		<-ended
	})
	return p
}

// connect makes the clients.
func (e *TestEnvironment) connect(transport *http.Transport, ingressURL, adminURL string) {
	e.http.Transport = transport
	e.client = ingress.NewClient(ingressURL, ingress.WithHttpClient(e.http), ingress.WithAdminURL(adminURL))
	e.t.Cleanup(transport.CloseIdleConnections)
}

// dial connects to one of the ports in memory.
func (e *TestEnvironment) dial(ctx context.Context, network, address string) (net.Conn, error) {
	for _, p := range []*port{e.ingress, e.admin} {
		if p.address.String() == address {
			return p.dial(ctx)
		}
	}
	return nil, fmt.Errorf("dial %s %s: in memory there are only %s and %s: use the URLs of the environment", network, address, e.IngressURL(), e.AdminURL())
}

// Ingress returns a client of the ingress over HTTP, which also knows the admin
// port: ingress.Cancel and its siblings work with it. It stays valid over
// restarts.
func (e *TestEnvironment) Ingress() *ingress.Client { return e.client }

// HTTP returns the client that reaches the ports, for requests as curl makes
// them. It has no timeout.
func (e *TestEnvironment) HTTP() *http.Client { return e.http }

// IngressURL returns where the ingress is, without a slash at the end. In Run it
// is good for the client of HTTP only.
func (e *TestEnvironment) IngressURL() string { return urlOf(e.ingress) }

// AdminURL is IngressURL for the admin port.
func (e *TestEnvironment) AdminURL() string { return urlOf(e.admin) }

func urlOf(p *port) string {
	host, port, err := net.SplitHostPort(p.address.String())
	if err != nil || port == "80" {
		return "http://" + host
	}
	return "http://" + p.address.String()
}

// IngressPort returns the loopback port of the ingress, 0 in Run.
func (e *TestEnvironment) IngressPort() int { return portOf(e.ingress) }

// AdminPort returns the loopback port of the admin routes, 0 in Run.
func (e *TestEnvironment) AdminPort() int { return portOf(e.admin) }

func portOf(p *port) int {
	if tcp, ok := p.address.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// Runtime returns the runtime of the present life, nil while it is down. After
// Restart and Crash there is another one. Its Client reaches handlers without
// HTTP.
func (e *TestEnvironment) Runtime() *actors.Runtime {
	if l := e.alive(); l != nil {
		return l.rt
	}
	return nil
}

func (e *TestEnvironment) alive() *life {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.life
}

// Bind starts the runtime with the definitions of services. It is called once;
// the next build comes with Restart or Crash.
func (e *TestEnvironment) Bind(services ...restate.ServiceDefinition) {
	e.t.Helper()
	e.mu.Lock()
	bound := e.lives != nil
	e.mu.Unlock()
	if bound {
		e.t.Fatal("dormousetest: Bind was called before: give all services to one Bind, and the next build to Restart or Crash")
	}
	e.start(services)
}

// Restart stops the runtime as a deploy does, and starts it again: with next,
// the definitions of another build, or with the same ones when there are none.
// What is down is only started.
func (e *TestEnvironment) Restart(next ...restate.ServiceDefinition) {
	e.t.Helper()
	e.Stop()
	e.start(next)
}

// Crash ends the runtime as kill -9 does, and starts it again like Restart. The
// comment of the package says what is simulated and what is not.
func (e *TestEnvironment) Crash(next ...restate.ServiceDefinition) {
	e.t.Helper()
	e.Kill()
	e.start(next)
}

// Stop stops the runtime as SIGTERM does: requests that wait lose their
// connection, handlers are suspended at their next wait, everything becomes
// durable. Code that does not end within Options.CloseGrace fails the test by
// name. Until Restart or Crash connections are refused.
func (e *TestEnvironment) Stop() {
	e.t.Helper()
	if l := e.down(); l != nil {
		if err := l.end(); err != nil {
			e.t.Errorf("dormousetest: stop: %v", err)
		}
		e.http.CloseIdleConnections()
	}
}

// Kill ends the runtime as kill -9 does. It waits a second for code of handlers
// that goes on, and then leaves it alone until the end of the test. Until Restart
// or Crash connections are refused.
func (e *TestEnvironment) Kill() {
	e.t.Helper()
	l := e.down()
	if l == nil {
		return
	}
	gone, err := l.die(e.disk)
	if err != nil {
		e.t.Fatalf("dormousetest: kill: %v", err)
	}
	e.http.CloseIdleConnections()
	e.mu.Lock()
	e.dead = append(e.dead, gone)
	e.mu.Unlock()
	select {
	case <-gone:
	case <-time.After(codeGrace):
		l.log.Warn("code of handlers goes on after the kill, because it does not look at its context", "goroutines", fmt.Sprint(l.sched.Live()))
	}
}

// start begins the next life.
func (e *TestEnvironment) start(next []restate.ServiceDefinition) {
	e.t.Helper()
	e.mu.Lock()
	if len(next) > 0 {
		e.services = slices.Clone(next)
	}
	services := e.services
	e.mu.Unlock()
	if len(services) == 0 {
		e.t.Fatal("dormousetest: no services: give them to Bind, or to Start")
	}
	l, err := begin(e.t.Context(), e.disk, e.ingress, e.admin, e.settings.runtime, services)
	if err != nil {
		e.t.Fatalf("dormousetest: start: %v", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.life = l
	e.lives = append(e.lives, l)
}

// down takes the present life.
func (e *TestEnvironment) down() *life {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.life
	e.life = nil
	return l
}

// close ends everything and says what does not end.
func (e *TestEnvironment) close() {
	var errs []error
	if l := e.down(); l != nil {
		if err := l.end(); err != nil {
			errs = append(errs, fmt.Errorf("stop at the end of the test: %w", err))
		}
	}
	e.http.CloseIdleConnections()
	for _, gone := range e.dead {
		<-gone
	}
	for n, l := range e.lives {
		if left := l.leftovers(); left != "" {
			errs = append(errs, fmt.Errorf("life %d of the runtime has left goroutines behind, by kind: %s: code of a handler does not end", n+1, left))
		}
	}
	e.output.close()
	if err := errors.Join(errs...); err != nil {
		e.t.Errorf("dormousetest: %v", err)
	}
}
