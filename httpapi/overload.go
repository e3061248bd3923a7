package httpapi

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// slots bounds the requests that are worked on at the same time. It may be used
// concurrently.
type slots struct {
	// limit is 0 for no bound.
	limit int64
	taken atomic.Int64
}

// slot is the place of one request; the zero value is none. It is owned by the
// goroutine of the request.
type slot struct{ of *slots }

// take returns a failure when all are taken.
func (s *slots) take() (slot, *failure) {
	if s.limit == 0 {
		return slot{}, nil
	}
	if s.taken.Add(1) > s.limit {
		s.taken.Add(-1)
		f := fail(http.StatusTooManyRequests, "too many requests at the same time: try again in a second")
		f.retryAfter = time.Second
		return slot{}, f
	}
	return slot{of: s}, nil
}

// free gives the place back, before a wait or at the end. It may be called
// again.
func (s *slot) free() {
	if s.of != nil {
		s.of.taken.Add(-1)
		s.of = nil
	}
}

// exemptBytes is the size up to which a body costs no room: what is small is
// never refused because of what is large.
const exemptBytes = 64 << 10

// bodies bounds the memory of bodies that are arriving. What counts is what has
// arrived, not what was announced. It may be used concurrently.
type bodies struct {
	limit int64
	held  atomic.Int64
}

// countedBody reads a body and takes room for it. When there is none left it
// ends with a *failure.
type countedBody struct {
	io.Reader
	from *bodies
	// read is how much has come, and held how much of it has taken room.
	read, held int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	if c.read > exemptBytes {
		more := c.read - exemptBytes - c.held
		c.held += more
		if c.from.held.Add(more) > c.from.limit {
			f := fail(http.StatusServiceUnavailable, "too much is arriving at the same time: try again in a second")
			f.retryAfter = time.Second
			return n, f
		}
	}
	return n, err
}

// release gives the room back.
func (c *countedBody) release() {
	if c.held > 0 {
		c.from.held.Add(-c.held)
		c.held = 0
	}
}
