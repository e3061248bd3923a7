package guard

import (
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// LookEvery is how often files are looked at for changes, at most.
const LookEvery = time.Second

// watched is a value that is read from files, and read again once they have
// changed. It is looked at when it is used, so nothing runs in the background.
// Its methods may be called concurrently.
type watched[T any] struct {
	paths []string
	read  func() (T, error)
	log   *slog.Logger
	value atomic.Pointer[T]

	// mu guards what follows; who does not get it takes the value of before.
	mu     sync.Mutex
	seen   []os.FileInfo
	looked time.Time
	// complaint is what was logged last, so that one thing is not logged every
	// second.
	complaint string
}

// watch reads the value for the first time. Its error is that of read.
func watch[T any](log *slog.Logger, read func() (T, error), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: paths, read: read, log: log, looked: time.Now()}
	w.seen = w.stat()
	v, err := read()
	if err != nil {
		return nil, err
	}
	w.value.Store(&v)
	return w, nil
}

// get returns the value of now. When the files cannot be read, that of before
// stays and the log says so.
func (w *watched[T]) get() T {
	if w.mu.TryLock() {
		if now := time.Now(); now.Sub(w.looked) >= LookEvery {
			w.looked = now
			w.look()
		}
		w.mu.Unlock()
	}
	return *w.value.Load()
}

// look reads the files when they have changed. Files that could not be read are
// tried again, because two files may change one after the other.
func (w *watched[T]) look() {
	found := w.stat()
	if !changed(w.seen, found) {
		return
	}
	v, err := w.read()
	if err != nil {
		if w.complaint != err.Error() {
			w.complaint = err.Error()
			w.log.Error("a changed file cannot be used, and what it said before goes on", slog.Any("error", err))
		}
		return
	}
	w.seen, w.complaint = found, ""
	w.value.Store(&v)
	w.log.Info("read a changed file", slog.String("files", strings.Join(w.paths, ", ")))
}

// stat describes the files; nil stands for one that is not there.
func (w *watched[T]) stat() []os.FileInfo {
	all := make([]os.FileInfo, len(w.paths))
	for i, path := range w.paths {
		if info, err := os.Stat(path); err == nil {
			all[i] = info
		}
	}
	return all
}

func changed(before, now []os.FileInfo) bool {
	for i := range before {
		a, b := before[i], now[i]
		switch {
		case a == nil && b == nil:
		case a == nil || b == nil || !os.SameFile(a, b), a.Size() != b.Size(), !a.ModTime().Equal(b.ModTime()):
			return true
		}
	}
	return false
}
