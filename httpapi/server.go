package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
)

// Addresses that are served when none is given.
const (
	DefaultIngress = ":8080"
	DefaultAdmin   = "127.0.0.1:9070"
)

// Version is what the admin port reports about itself.
const Version = "0.1.0"

// Options are the settings of a Server. The zero value works.
type Options struct {
	// Ingress and Admin are the addresses of Serve; DefaultIngress and
	// DefaultAdmin when empty. Port 0 picks a free one.
	Ingress, Admin string
	// Logger gets one line per request and what goes wrong; slog.Default()
	// when nil.
	Logger *slog.Logger
	// MaxBody bounds a request body, in bytes; 32 MiB when 0. It should not be
	// larger than the runtime's MaxPayload, which has the last word.
	MaxBody int64
	// HeaderTimeout bounds the arrival of the headers of a request; 10 s when
	// 0. How long a call waits for its result is not bounded by anything.
	HeaderTimeout time.Duration
	// TransferTimeout bounds the arrival of a body and the departure of an
	// answer; 2 min when 0.
	TransferTimeout time.Duration
	// IdleTimeout ends a connection without requests; 2 min when 0.
	IdleTimeout time.Duration
	// StopGrace is how long Serve lets the runtime drain; 10 s when 0. Two
	// seconds for the connections of each port come on top.
	StopGrace time.Duration
	// Ready is called once, when both ports accept requests; may be nil. It
	// must not block.
	Ready func(Addresses)
	// Safety has the tokens, the encryption and the bounds of the ports.
	Safety Safety
}

// Addresses are where a Server listens, as host and port.
type Addresses struct{ Ingress, Admin string }

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	setDefault(&o.Ingress, DefaultIngress)
	setDefault(&o.Admin, DefaultAdmin)
	setDefault(&o.MaxBody, 32<<20)
	setDefault(&o.HeaderTimeout, 10*time.Second)
	setDefault(&o.TransferTimeout, 2*time.Minute)
	setDefault(&o.IdleTimeout, 2*time.Minute)
	setDefault(&o.StopGrace, 10*time.Second)
	o.Safety = o.Safety.withDefaults()
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// runtime is what the routes need of *actors.Runtime. The tests have another
// one, which answers from a table.
type runtime interface {
	Call(ctx context.Context, r actors.Request) (actors.Response, error)
	Send(ctx context.Context, r actors.Request) (actors.Accepted, error)
	Attach(ctx context.Context, id ident.InvocationID) (actors.Response, error)
	Output(ctx context.Context, id ident.InvocationID) (actors.Response, error)
	Signal(ctx context.Context, id ident.InvocationID, signal journal.NotificationID, r journal.Result) (actors.SignalOutcome, error)
	Operate(ctx context.Context, op machine.Operation, id ident.InvocationID) (stored bool, err error)
	Inspect(ctx context.Context, id ident.InvocationID, o actors.InspectOptions) (*actors.Inspection, error)
	invocationLister
	keyReader
	operator
	eventSource
	backupSource
	Services() []objects.ServiceDefinition
	Drain(ctx context.Context) error
	Done() <-chan struct{}
	Err() error
	configured
	measured
}

// Server serves a runtime over HTTP. Its handlers may be used concurrently,
// with Serve or instead of it.
type Server struct {
	rt       runtime
	opts     Options
	log      *slog.Logger
	services catalog
	health   []byte
	ingress  *ingressPort
	admin    *echo.Echo
	metrics  *metrics
	isJSON   always
	// exchanges keeps the memory of *exchange between requests.
	exchanges sync.Pool
	// front is what the ports serve: ingress and admin, or what the program has
	// put in front of them.
	front struct{ ingress, admin http.Handler }
	// listening is where the ingress is, nil before Serve.
	listening atomic.Pointer[net.TCPAddr]
	*defence
}

// New returns a server of rt, which the caller closes.
func New(rt *actors.Runtime, o Options) (*Server, error) { return newServer(rt, o) }

func newServer(rt runtime, o Options) (*Server, error) {
	o = o.withDefaults()
	d, err := newDefence(o)
	if err != nil {
		return nil, err
	}
	return newDefended(rt, o, d)
}

// newDefended returns a server with defaults filled in and its Safety checked.
func newDefended(rt runtime, o Options, d *defence) (*Server, error) {
	s := &Server{rt: rt, opts: o, log: o.Logger, services: newCatalog(rt.Services()), isJSON: newAlways(contentTypeJSON), defence: d}
	s.exchanges.New = func() any { return new(exchange) }
	var err error
	if s.health, err = s.services.health(); err != nil {
		return nil, fmt.Errorf("describe the services: %w", err)
	}
	s.metrics = newMetrics(s)
	s.ingress, s.admin = s.newIngress(), s.newAdmin()
	s.front.ingress, s.front.admin = s.ingress, headAsGet(s.admin)
	return s, nil
}

// IngressHandler serves the ingress: calls, sends, results and awakeables.
func (s *Server) IngressHandler() http.Handler { return s.ingress }

// AdminHandler serves operations and introspection. It is for trusted callers.
func (s *Server) AdminHandler() http.Handler { return s.front.admin }
