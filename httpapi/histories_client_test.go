package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// chronicle is the world of the clients: which process serves, and what all
// histories have in common.
type chronicle struct {
	http  *http.Client
	began time.Time
	seed  uint64
	// life is the process that serves; nil while there is none.
	life atomic.Pointer[child]
	// closing is set when the last kill is done: what runs is finished, and
	// nothing new is begun.
	closing atomic.Bool
	wait    sync.WaitGroup
	// repeated counts requests that were asked again because there was no answer,
	// progress operations that were answered.
	repeated, progress atomic.Int64
	// due is the progress of which reached is told.
	due     atomic.Int64
	reached chan struct{}
	// failed is the first complaint: then nobody goes on.
	failed atomic.Pointer[string]

	mu     sync.Mutex
	sheets []*sheet
	banks  []*bank
	// wrong is what was found and keeps nobody from going on.
	wrong []string
}

func (w *chronicle) now() int64 { return int64(time.Since(w.began)) }

func (w *chronicle) complain(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	w.failed.CompareAndSwap(nil, &text)
}

func (w *chronicle) note(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, a...))
}

// serving waits for a process that serves. There is none when somebody has
// complained.
func (w *chronicle) serving() *child {
	for w.failed.Load() == nil {
		if c := w.life.Load(); c != nil {
			return c
		}
		<-time.After(time.Millisecond)
	}
	return nil
}

// anotherLife waits until another process serves, or no kill is to come.
func (w *chronicle) anotherLife() {
	before := w.life.Load()
	for w.failed.Load() == nil && !w.closing.Load() && (w.life.Load() == nil || w.life.Load() == before) {
		<-time.After(time.Millisecond)
	}
}

// request is what a client asks of whatever process serves.
type request struct {
	method, path, body string
	// once is the idempotency key, if any.
	once string
	// admin asks the other port.
	admin bool
}

// once sends a request one time.
func (w *chronicle) once(q request) reply {
	c := w.serving()
	if c == nil {
		return reply{err: errors.New("the test is over")}
	}
	base := c.ingress
	if q.admin {
		base = c.admin
	}
	return ask(w.http, q.method, base+q.path, q.body, "Idempotency-Key", q.once)
}

// until repeats a request until it has one of these statuses. Anything else that
// is an answer is a complaint.
func (w *chronicle) until(q request, statuses ...int) (r reply, ok bool) {
	for late := time.Now().Add(2 * patience); time.Now().Before(late); {
		r = w.once(q)
		switch {
		case w.failed.Load() != nil:
			return r, false
		case slices.Contains(statuses, r.status):
			return r, true
		case r.status != 0:
			w.complain("%v is answered %v", q, r)
			return r, false
		}
		w.repeated.Add(1)
		<-time.After(2 * time.Millisecond)
	}
	w.complain("%v: no answer, at last %v", q, r)
	return r, false
}

// unsent says that a request has reached nobody.
func unsent(r reply) bool {
	var failed *net.OpError
	return errors.As(r.err, &failed) && failed.Op == "dial"
}

// maxUnknown is how many operations of a slate may have an unknown outcome: the work
// of the checker grows exponentially with them. Who would add one asks with an
// idempotency key instead.
const maxUnknown = 6

// sheet is one slate and what its clients know.
type sheet struct {
	*chronicle
	key string
	// slow lets its first client wait for kills.
	slow bool

	mu      sync.Mutex
	history []event
	// risked counts those whose outcome nobody knows, or may never know.
	risked int
	// last are operations with an idempotency key, for who asks late.
	last []event
	// seen is a text that the slate had.
	seen string
}

// fill lets clients work on a slate at the same time, each with its own sequence
// of operations.
func (s *sheet) fill(clients, ops int, seed uint64) {
	var wait sync.WaitGroup
	for n := range clients {
		wait.Go(func() {
			s.client(fmt.Sprintf("%s-%d", s.key, n), ops, s.slow && n == 0, rand.New(rand.NewPCG(seed, uint64(n))))
		})
	}
	wait.Wait()
}

// client does some operations, one after the other; only sends come in bursts.
func (s *sheet) client(name string, ops int, slow bool, r *rand.Rand) {
	for n := 0; n < ops && s.failed.Load() == nil; n++ {
		if slow && r.IntN(4) == 0 {
			s.anotherLife()
		}
		o := s.order(fmt.Sprintf("%s-%d", name, n), r)
		switch way := r.IntN(8); {
		case way < 3 && s.mayRisk():
			s.call(o)
		case way < 5:
			s.callOnce(o)
		case way < 6:
			s.look(o)
		default:
			n += s.burst(o, r)
		}
	}
}

// order makes up an operation.
func (s *sheet) order(id string, r *rand.Rand) order {
	kinds := []string{kindRead, kindWrite, kindAppend, kindAppend, kindCAS, kindCAS}
	styles := []string{stylePlain, stylePlain, stylePlain, styleSteps, styleNap, styleStepNap}
	o := order{ID: id, Kind: kinds[r.IntN(len(kinds))], Style: styles[r.IntN(len(styles))], New: id}
	if o.Kind == kindWrite && r.IntN(4) == 0 {
		o.New += strings.Repeat(".", 600) // too long to be kept beside other values
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o.Old = s.seen
	return o
}

// add takes an event into the history.
func (s *sheet) add(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = append(s.history, e)
	switch {
	case !e.out.known:
	case e.order.Kind == kindWrite:
		s.seen = e.order.New
	case e.order.Kind != kindCAS:
		s.seen = e.out.text
	}
}

// mayRisk says whether one more operation may end with an unknown outcome, and
// counts it if so.
func (s *sheet) mayRisk() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.risked == maxUnknown {
		return false
	}
	s.risked++
	return true
}

// riskOver is called when an operation is answered that mayRisk has counted.
func (s *sheet) riskOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.risked--
}

// begin is an event of which nothing is known.
func (s *sheet) begin(o order) event {
	return event{order: o, call: s.now(), end: never, accepted: never}
}

// answered completes an event.
func (s *sheet) answered(e *event, r reply) {
	e.end = s.now()
	e.accepted = min(e.accepted, e.end)
	if err := json.Unmarshal([]byte(r.body), &e.out.text); err != nil {
		s.complain("%s is answered %v: %v", e.order.ID, r, err)
	}
	e.out.known = true
	if s.progress.Add(1) == s.due.Load() {
		select {
		case s.reached <- struct{}{}:
		default:
		}
	}
}

// asked is the request for an operation.
func (s *sheet) asked(o order, handler, once string) request {
	body, err := json.Marshal(o)
	if err != nil {
		s.complain("%v", err)
	}
	return request{method: "POST", path: "/Slate/" + s.key + "/" + handler, body: string(body), once: once}
}

// risk sends a request without an idempotency key, which must not be repeated when
// it has reached somebody. It reports whether there is an answer.
func (s *sheet) risk(e *event, q request, status int) (r reply, ok bool) {
	for s.failed.Load() == nil {
		e.call = s.now()
		switch r = s.once(q); {
		case r.status == status:
			return r, true
		case r.status != 0:
			s.complain("%v is answered %v", q, r)
			return r, false
		case !unsent(r):
			return r, false
		}
	}
	return r, false
}

// call has an unknown outcome when the connection breaks.
func (s *sheet) call(o order) {
	e := s.begin(o)
	if r, ok := s.risk(&e, s.asked(o, "do", ""), http.StatusOK); ok {
		s.riskOver()
		s.answered(&e, r)
	}
	s.add(e)
}

// look is a read by a shared handler.
func (s *sheet) look(o order) {
	o.Kind, o.Style = kindLook, stylePlain
	e := s.begin(o)
	if r, ok := s.risk(&e, s.asked(o, "look", ""), http.StatusOK); ok {
		s.answered(&e, r)
	}
	s.add(e)
}

// callOnce has an idempotency key, and is repeated until it is answered. It is
// asked again at the end.
func (s *sheet) callOnce(o order) {
	e := s.begin(o)
	if r, ok := s.until(s.asked(o, "do", o.ID), http.StatusOK); ok {
		s.answered(&e, r)
	}
	s.add(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) < 4 {
		s.last = append(s.last, e)
	}
}

// again asks for what was answered before, by a process that is gone.
func (s *sheet) again() {
	for _, e := range s.last {
		repeated := s.begin(e.order)
		if r, ok := s.until(s.asked(e.order, "do", e.order.ID), http.StatusOK); ok {
			s.answered(&repeated, r)
			if repeated.out != e.out {
				s.note("%s was answered %q, and later %q", e.order.ID, e.out.text, repeated.out.text)
			}
		}
	}
}

// burst sends some operations without waiting for their results, and asks for
// these afterwards. It returns how many there are besides the first.
func (s *sheet) burst(o order, r *rand.Rand) int {
	type sent struct {
		event
		id string
	}
	var all []sent
	more := r.IntN(3)
	for n := range more + 1 {
		if n > 0 {
			o = s.order(fmt.Sprintf("%s.%d", o.ID, n), r)
		}
		e := s.begin(o)
		var answer reply
		var ok bool
		if r.IntN(2) == 0 && s.mayRisk() {
			if answer, ok = s.risk(&e, s.asked(o, "do/send", ""), http.StatusAccepted); ok {
				s.riskOver()
			}
		} else {
			answer, ok = s.until(s.asked(o, "do/send", o.ID), http.StatusAccepted)
		}
		if !ok {
			s.add(e)
			continue
		}
		e.accepted = s.now()
		all = append(all, sent{e, answer.header.Get("X-Restate-Id")})
	}
	for _, e := range all {
		if answer, ok := s.until(request{method: "GET", path: "/restate/attach/" + e.id}, http.StatusOK); ok {
			s.answered(&e.event, answer)
		}
		s.add(e.event)
	}
	return more
}
