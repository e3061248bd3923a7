package actors

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// waiters is the table of the requests of this process that wait for an
// answer. They are not kept by the actors, which come and go.
//
// A request is answered at most once, and never after its drop has returned.
// It is registered before its message is delivered, so no answer is early; an
// answer without a request is dropped. Answers are given on the goroutine that
// brings them and must not block. All methods may be called concurrently.
type waiters struct {
	last   atomic.Uint64 // the last token given out
	tokens [waiterShards]tokenShard
	births [waiterShards]birthShard
	// budget counts who got an answer. It may be nil, and is set before the first.
	budget *budgetMeter
}

const waiterShards = 64

// Locks are taken in the order tokenShard, birthShard.
type tokenShard struct {
	mu      sync.Mutex
	waiting map[machine.Token]waiter
}

type birthShard struct {
	mu      sync.Mutex
	watched map[ident.Seq]watchers
}

// waiter is one request. Its fields are guarded by the shard of its token.
type waiter struct {
	from  requester
	key   ident.ObjectKey // of whom it asks
	birth ident.Seq       // of the invocation it watches, 0 for none
}

// requester is who has made a request.
type requester interface {
	// finish gives the answer, or the error that ended the request. It is
	// called at most once, and must not block.
	finish(a machine.Answer, err error)
}

// watchers are the requests that watch one invocation, in the order in which they
// are answered. Most often there is one, which needs no memory of its own.
type watchers struct {
	first machine.Token
	more  []machine.Token
}

// without returns w without t, and whether anybody is left.
func (w watchers) without(t machine.Token) (left watchers, some bool) {
	switch i := slices.Index(w.more, t); {
	case i >= 0:
		w.more = slices.Delete(w.more, i, i+1)
	case w.first != t:
	case len(w.more) == 0:
		return watchers{}, false
	default:
		w.first, w.more = w.more[0], w.more[1:]
	}
	return w, true
}

func newWaiters() *waiters {
	w := new(waiters)
	for i := range waiterShards {
		w.tokens[i].waiting = make(map[machine.Token]waiter)
		w.births[i].watched = make(map[ident.Seq]watchers)
	}
	return w
}

// registerFor adds a request to a key.
func (w *waiters) registerFor(key ident.ObjectKey, a requester) machine.Token {
	t := machine.Token(w.last.Add(1))
	s := w.token(t)
	s.mu.Lock()
	s.waiting[t] = waiter{from: a, key: key}
	s.mu.Unlock()
	return t
}

// watch makes a request wait for the end of an invocation. A request watches
// one; one that has left watches none.
func (w *waiters) watch(t machine.Token, birth ident.Seq) {
	s := w.token(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.waiting[t]
	if !ok || r.birth == birth {
		return
	}
	if r.birth != 0 {
		w.unwatch(t, r.birth)
	}
	r.birth = birth
	s.waiting[t] = r
	b := w.birth(birth)
	b.mu.Lock()
	defer b.mu.Unlock()
	list, watched := b.watched[birth]
	if watched {
		list.more = append(list.more, t)
	} else {
		list.first = t
	}
	b.watched[birth] = list
}

// answer answers one request.
func (w *waiters) answer(a machine.Answer) {
	if who := w.remove(a.Token); who != nil {
		if w.budget != nil {
			w.budget.waited(waitAnswer)
		}
		who.finish(a, nil)
	}
}

// finished answers every request that watches the invocation.
func (w *waiters) finished(f machine.Finished) {
	list, watched := w.watching(f.Birth)
	if !watched {
		return
	}
	a := machine.Answer{Token: list.first, Kind: machine.AnswerResult, ID: f.ID, Result: f.Result}
	w.answer(a)
	for _, a.Token = range list.more {
		w.answer(a)
	}
}

// fail ends one request with an error.
func (w *waiters) fail(t machine.Token, err error) {
	if who := w.remove(t); who != nil {
		who.finish(machine.Answer{Token: t}, err)
	}
}

// failKey ends every request that watches an invocation of the key.
func (w *waiters) failKey(key ident.ObjectKey, err error) {
	w.failWhere(err, func(r waiter) bool { return r.birth != 0 && r.key == key })
}

// failAll ends every request that is registered when it is called.
func (w *waiters) failAll(err error) {
	w.failWhere(err, func(waiter) bool { return true })
}

func (w *waiters) failWhere(err error, which func(waiter) bool) {
	for i := range w.tokens {
		s := &w.tokens[i]
		s.mu.Lock()
		all := make([]machine.Token, 0, len(s.waiting))
		for t, r := range s.waiting {
			if which(r) {
				all = append(all, t)
			}
		}
		s.mu.Unlock()
		slices.Sort(all) // a simulation wants to be repeatable
		for _, t := range all {
			w.fail(t, err)
		}
	}
}

// drop removes a request whose client has left. It reports whether the request
// had not been answered.
func (w *waiters) drop(t machine.Token) bool { return w.remove(t) != nil }

// waiting returns how many requests wait.
func (w *waiters) waiting() int {
	n := 0
	for i := range w.tokens {
		s := &w.tokens[i]
		s.mu.Lock()
		n += len(s.waiting)
		s.mu.Unlock()
	}
	return n
}

// remove takes a request out of the table. Whoever gets the requester is the one to
// answer it.
func (w *waiters) remove(t machine.Token) requester {
	s := w.token(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.waiting[t]
	if !ok {
		return nil
	}
	delete(s.waiting, t)
	if r.birth != 0 {
		w.unwatch(t, r.birth)
	}
	return r.from
}

// unwatch takes a request off the list of an invocation. The shard of the token
// is locked.
func (w *waiters) unwatch(t machine.Token, birth ident.Seq) {
	b := w.birth(birth)
	b.mu.Lock()
	defer b.mu.Unlock()
	list, watched := b.watched[birth]
	if !watched {
		return
	}
	if left, some := list.without(t); some {
		b.watched[birth] = left
	} else {
		delete(b.watched, birth)
	}
}

// watching takes the list of an invocation.
func (w *waiters) watching(birth ident.Seq) (list watchers, watched bool) {
	b := w.birth(birth)
	b.mu.Lock()
	defer b.mu.Unlock()
	list, watched = b.watched[birth]
	delete(b.watched, birth)
	return list, watched
}

func (w *waiters) token(t machine.Token) *tokenShard { return &w.tokens[t%waiterShards] }

func (w *waiters) birth(s ident.Seq) *birthShard { return &w.births[s%waiterShards] }
