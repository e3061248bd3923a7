package actors

import "sync"

// slots bounds how many handlers execute user code at the same time. A slot is
// held only while the handler's own goroutine runs: not in a wait, and so not
// while it waits for a Run. Attempts that find no slot stand in line.
type slots struct {
	mu    sync.Mutex
	free  int
	size  int
	queue []*attempt
	// closed grants nothing any more.
	closed bool
}

func newSlots(n int) *slots { return &slots{free: n, size: n} }

// acquire reports whether a has a slot now. Otherwise a.granted is called when
// it is its turn; that call may come before acquire returns.
func (s *slots) acquire(a *attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 && len(s.queue) == 0 && !s.closed {
		s.free--
		return true
	}
	if !s.closed {
		s.queue = append(s.queue, a)
	}
	return false
}

// release gives a slot back, to the first in line that still wants it.
func (s *slots) release() {
	for {
		a := s.next()
		if a == nil || a.granted() {
			return
		}
	}
}

// next passes the released slot on, or keeps it free.
func (s *slots) next() *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 || s.closed {
		s.free++
		return nil
	}
	a := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return a
}

// close grants nothing any more, and returns who stood in line.
func (s *slots) close() []*attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.queue
	s.closed, s.queue = true, nil
	return queue
}

// counts returns how many slots are held and how many attempts want one.
func (s *slots) counts() (running, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size - s.free, len(s.queue)
}
