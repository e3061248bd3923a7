package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/internal/guard"
)

// port is what the two ports do differently around a route.
type port struct {
	name string
	// write sends an error answer.
	write func(http.ResponseWriter, *failure) error
	// admit decides whether a request reaches a route at all. It may have
	// answered it.
	admit func(*exchange) (answered bool, err error)
	// route names the pattern of the route that took a request, for metrics.
	route  func(*exchange) string
	counts *counts
	series *portSeries
}

// exchange is one request on its way through a route. It belongs to the
// goroutine of the request. The frame uses its memory for another request when
// this one has been answered, so nothing may keep it, or a pointer into it.
type exchange struct {
	c       echo.Context
	w       *echo.Response
	r       *http.Request
	started time.Time
	id      string
	// ids are what the headers of the answer hold: the request id and the id of
	// the invocation.
	ids *[2]string
	// path is what the client wrote, and so is pathAndQuery.
	path, pathAndQuery string
	// seg are the parts of path; formed says that it has as many as a path of
	// the ingress. Both are set on the ingress only.
	seg    segments
	formed bool
	conn   *guard.Connection
	// slot is the place among the requests that are worked on.
	slot slot
	// body reads the body and bounds it.
	body countedBody
}

// begin takes a request in.
func (s *Server) begin(p *port, c echo.Context) *exchange {
	x := s.exchanges.Get().(*exchange)
	x.c, x.w, x.r, x.started = c, c.Response(), c.Request(), time.Now()
	p.series.inFlight.Inc()
	x.id = requestID(x.r)
	x.setRequestID(x.id)
	s.boundBody(x)
	x.path, x.pathAndQuery = rawPath(x.r)
	x.conn = guard.ConnectionOf(x.r)
	x.conn.Work()
	return x
}

// end lets the memory of an exchange be used again.
func (s *Server) end(x *exchange) {
	x.conn.Rest()
	*x = exchange{}
	s.exchanges.Put(x)
}

// frame wraps the routes of a port: it gives the request an id, turns errors
// and panics into answers, and writes the log line.
func (s *Server) frame(p *port, route func(*exchange) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := s.begin(p, c)
		defer s.end(x)
		err := protect(p, x, route)
		if err != nil {
			p.counts.add(err)
			err = s.answerError(p, c, err)
		}
		took := time.Since(x.started)
		s.metrics.leave(p, x, took, err)
		s.logRequest(p, x, took, err)
		if endsWithoutAnswer(err) {
			// The way in which net/http closes a connection, also one of
			// HTTP/2, without another byte.
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// protect admits a request, runs its route and turns a panic into an error.
func protect(p *port, x *exchange, route func(*exchange) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	if answered, err := p.admit(x); answered || err != nil {
		return err
	}
	return route(x)
}

// answerError answers err and returns it for the log. It returns errNoAnswer
// when there is no answer to give.
func (s *Server) answerError(p *port, c echo.Context, err error) error {
	f := s.withStack(failureOf(err), err)
	if f == nil || c.Response().Committed {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if writeErr := p.write(c.Response(), f); writeErr != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, writeErr)
	}
	return err
}

func endsWithoutAnswer(err error) bool { return errors.Is(err, errNoAnswer) }

// logRequest writes one line per request: success at debug level, refusals at
// info, what needs a person at error.
func (s *Server) logRequest(p *port, x *exchange, took time.Duration, err error) {
	level := s.levelOf(x.w.Status, err)
	ctx := x.r.Context()
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("port", p.name),
		slog.String("request_id", x.id),
		slog.String("method", x.r.Method),
		slog.String("path", x.path),
		slog.Duration("took", took),
	}
	if endsWithoutAnswer(err) {
		attrs = append(attrs, slog.Bool("answered", false))
	} else {
		attrs = append(attrs, slog.Int("status", x.w.Status))
	}
	if invocation := x.w.Header()[headerInvocation]; len(invocation) == 1 {
		attrs = append(attrs, slog.String("invocation", invocation[0]))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.log.LogAttrs(ctx, level, "request", attrs...)
}

const maxRequestID = 128

// requestID returns the id that the caller gave, when it is 1 to 128 printable
// ASCII bytes, else a new one.
func requestID(r *http.Request) string {
	if given := r.Header[headerRequestID]; len(given) > 0 {
		if id := given[0]; id != "" && len(id) <= maxRequestID && printable(id) {
			return id
		}
	}
	const digits = "0123456789abcdef"
	var b [32]byte
	for i := 0; i < len(b); i += 16 {
		v := rand.Uint64()
		for j := range 16 {
			b[i+j] = digits[v>>(4*j)&0xF]
		}
	}
	return string(b[:])
}

// printable reports whether s consists of printable ASCII bytes.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}
