package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/labstack/echo/v4"
)

// steps is how many commits run10 makes before that of its result.
const steps = 10

// server answers the paths of the workloads.
type server struct {
	commits  *committer
	callback string
	http     *http.Client
	pool     sync.Pool
	seq      atomic.Uint64
	done     atomic.Int64

	mu      sync.Mutex
	numbers map[string]int
	waiting map[string]chan struct{} // by awakeable id
}

func newServer(c *committer, callback string) *server {
	return &server{
		commits: c, callback: callback,
		http:    &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}},
		pool:    sync.Pool{New: func() any { return &request{done: make(chan error, 1)} }},
		numbers: map[string]int{}, waiting: map[string]chan struct{}{},
	}
}

func (s *server) routes() *echo.Echo {
	e := echo.New()
	e.GET("/stats", s.stats)
	e.POST("/Counter/:key/:handler", s.add)
	e.POST("/Counter/:key/:handler/send", s.send)
	e.POST("/Steps/:key/:handler", s.run10)
	e.POST("/Waiter/:key/:handler", s.wait)
	e.POST("/restate/awakeables/:id/resolve", s.resolve)
	return e
}

func (s *server) stats(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]int64{
		"done": s.done.Load(), "group_commits": s.commits.commits.Load(), "rows": s.commits.rows.Load(),
	})
}

func (s *server) add(c echo.Context) error {
	n, err := s.count(c)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/json", strconv.AppendInt(nil, int64(n), 10))
}

func (s *server) send(c echo.Context) error {
	if _, err := s.count(c); err != nil {
		return err
	}
	return c.Blob(http.StatusAccepted, "application/json", []byte(`{"status":"Accepted"}`))
}

func (s *server) run10(c echo.Context) error {
	for range steps {
		if err := s.step(); err != nil {
			return err
		}
	}
	return s.add(c)
}

func (s *server) wait(c echo.Context) error {
	var token string
	if err := json.NewDecoder(c.Request().Body).Decode(&token); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error())
	}
	id := "sign_" + strconv.FormatUint(s.seq.Add(1), 10)
	resolved := make(chan struct{})
	s.mu.Lock()
	s.waiting[id] = resolved
	s.mu.Unlock()
	if err := s.step(); err != nil {
		return err
	}
	if err := s.call(token, id); err != nil {
		return err
	}
	if err := s.step(); err != nil {
		return err
	}
	select {
	case <-resolved:
	case <-c.Request().Context().Done():
		return c.Request().Context().Err()
	}
	if _, err := s.count(c); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/json", []byte(`"ok"`))
}

// call posts the callback that a handler makes.
func (s *server) call(token, id string) error {
	r, err := s.http.Post(s.callback, "text/plain", strings.NewReader(token+" "+id))
	if err != nil {
		return fmt.Errorf("call back: %w", err)
	}
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}

func (s *server) resolve(c echo.Context) error {
	id := c.Param("id")
	s.mu.Lock()
	resolved := s.waiting[id]
	delete(s.waiting, id)
	s.mu.Unlock()
	if resolved == nil {
		return echo.NewHTTPError(http.StatusNotFound, "unknown awakeable")
	}
	if err := s.step(); err != nil {
		return err
	}
	close(resolved)
	return c.NoContent(http.StatusAccepted)
}

// count adds the body, or 1 when it is no number, to a number in memory, and
// commits it with a record of the call.
func (s *server) count(c echo.Context) (int, error) {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return 0, err
	}
	d, err := strconv.Atoi(string(body))
	if err != nil {
		d = 1
	}
	key := c.Param("key")
	s.mu.Lock()
	s.numbers[key] += d
	n := s.numbers[key]
	s.mu.Unlock()
	value := fmt.Appendf(make([]byte, 68, 76), "%8d", n)
	if err := s.commit(record{s.journalKey(), value}, record{append([]byte("s/Counter/n/"), key...), value}); err != nil {
		return 0, err
	}
	s.done.Add(1)
	return n, nil
}

// step commits one record.
func (s *server) step() error { return s.commit(record{s.journalKey(), make([]byte, 76)}) }

func (s *server) journalKey() []byte {
	return binary.BigEndian.AppendUint64([]byte("j/0123456789abcd"), s.seq.Add(1))
}

func (s *server) commit(records ...record) error {
	r := s.pool.Get().(*request)
	r.n = copy(r.records[:], records)
	err := s.commits.commit(r)
	s.pool.Put(r)
	return err
}
