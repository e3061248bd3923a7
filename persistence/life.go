package persistence

import "sync"

// life counts the users of something that will be closed. Unlike a read lock it
// refuses a user who comes after the end has begun, so that a user may enter
// again while it is in.
type life struct {
	mu    sync.Mutex
	users int
	over  bool
	// idle is closed when over and users is 0.
	idle chan struct{}
}

// enter reports whether the thing may be used; then leave must follow.
func (l *life) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.users++
	return true
}

func (l *life) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	if l.over && l.users == 0 {
		close(l.idle)
	}
}

// end lets nobody in any more and waits for those inside. It reports whether it
// was the first call; the others do not wait.
func (l *life) end() bool {
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return false
	}
	l.over, l.idle = true, make(chan struct{})
	if l.users == 0 {
		close(l.idle)
	}
	l.mu.Unlock()
	<-l.idle
	return true
}
