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
	admit  func(echo.Context) (answered bool, err error)
	counts *counts
}

// frame wraps the routes of a port: it gives the request an id, turns errors
// and panics into answers, and writes the log line.
func (s *Server) frame(p port, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		started := time.Now()
		s.metrics.enter(p)
		id := requestID(c.Request())
		set(c.Response(), headerRequestID, id)
		s.boundBody(c.Response(), c.Request())
		k := guard.ConnectionOf(c.Request())
		k.Work()
		defer k.Rest()
		err := protect(c, func(c echo.Context) error {
			if answered, err := p.admit(c); answered || err != nil {
				return err
			}
			return next(c)
		})
		p.counts.add(err)
		if err != nil {
			err = s.answerError(p, c, err)
		}
		took := time.Since(started)
		s.metrics.leave(p, c, took, err)
		s.logRequest(p, c, id, took, err)
		if endsWithoutAnswer(err) {
			// The way in which net/http closes a connection, also one of
			// HTTP/2, without another byte.
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// protect runs a route and turns its panic into an error.
func protect(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return next(c)
}

// answerError answers err and returns it for the log. It returns errNoAnswer
// when there is no answer to give.
func (s *Server) answerError(p port, c echo.Context, err error) error {
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
func (s *Server) logRequest(p port, c echo.Context, id string, took time.Duration, err error) {
	level := s.levelOf(c.Response().Status, err)
	ctx := c.Request().Context()
	if !s.log.Enabled(ctx, level) {
		return
	}
	path, _ := rawPath(c.Request())
	attrs := []slog.Attr{
		slog.String("port", p.name),
		slog.String("request_id", id),
		slog.String("method", c.Request().Method),
		slog.String("path", path),
		slog.Duration("took", took),
	}
	if endsWithoutAnswer(err) {
		attrs = append(attrs, slog.Bool("answered", false))
	} else {
		attrs = append(attrs, slog.Int("status", c.Response().Status))
	}
	if invocation := c.Response().Header()[headerInvocation]; len(invocation) == 1 {
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
