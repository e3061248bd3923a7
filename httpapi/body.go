package httpapi

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/dormouse-run/dormouse/internal/guard"
)

// eagerBytes is how much memory a declared length is worth before any of the
// body has arrived.
const eagerBytes = 1 << 20

// boundBody bounds the arrival of a body. net/http lifts the bound when the
// body has been read, so a call may wait for longer. When the route does not
// read it the bound stays: net/http then reads, before it sends the answer.
func (s *Server) boundBody(x *exchange) {
	if x.r.ContentLength == 0 {
		return
	}
	_ = http.NewResponseController(x.w).SetReadDeadline(x.started.Add(s.opts.TransferTimeout))
}

// readBody reads the whole body of r, which belongs to the caller afterwards.
func (s *Server) readBody(r *http.Request) ([]byte, error) {
	return s.readBodyBy(new(countedBody), guard.ConnectionOf(r), r)
}

// readBodyBy is readBody with what it needs. A body that is larger than the limit
// is a 413, whether it says so first or not.
func (s *Server) readBodyBy(counted *countedBody, k *guard.Connection, r *http.Request) ([]byte, error) {
	limit := s.opts.MaxBody
	switch {
	case r.ContentLength > limit:
		return nil, tooLarge(limit)
	case r.ContentLength == 0 || r.Body == nil:
		return nil, nil
	}
	// A connection whose body is still arriving may be closed to make room.
	k.Rest()
	defer k.Work()
	counted.Reader, counted.from = r.Body, &s.bodies
	defer counted.release()
	body, err := readAll(counted, r.ContentLength, limit)
	if err = bodyError(int64(len(body)), limit, err); err != nil {
		return nil, err
	}
	return body, nil
}

// bodyError says what is wrong with a body of which size bytes have come.
func bodyError(size, limit int64, err error) error {
	switch {
	case err != nil:
		return brokenBody(err)
	case size > limit:
		return tooLarge(limit)
	}
	return nil
}

func brokenBody(err error) error {
	var refused *failure
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fail(http.StatusRequestTimeout, "the body took too long to arrive")
	case isGone(err):
		return errNoAnswer
	default:
		return badRequest("the body is not well-formed HTTP: send the request again")
	}
}

// skipBody reads a body that means nothing, before a route waits. As long as one
// is to come net/http does not notice that its client has gone.
func (s *Server) skipBody(r *http.Request) error {
	limit := s.opts.MaxBody
	switch {
	case r.ContentLength > limit:
		return tooLarge(limit)
	case r.ContentLength == 0 || r.Body == nil:
		return nil
	}
	k := guard.ConnectionOf(r)
	k.Rest()
	defer k.Work()
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, limit+1))
	return bodyError(n, limit, err)
}

// isGone reports whether a body ends because its client does.
func isGone(err error) bool {
	var broken net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &broken)
}

// readAll reads size bytes, or with a size that is unknown or large what there
// is, at most one byte more than the limit.
func readAll(r io.Reader, size, limit int64) ([]byte, error) {
	if size < 0 || size > eagerBytes {
		return io.ReadAll(io.LimitReader(r, limit+1))
	}
	body := make([]byte, size)
	_, err := io.ReadFull(r, body)
	return body, err
}
