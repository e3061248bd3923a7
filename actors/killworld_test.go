package actors_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// killWorld is the world outside: it outlives every child and remembers the
// effects that reached it.
type killWorld struct {
	t      *testing.T
	server *httptest.Server

	mu sync.Mutex
	// steps holds, by label, the last step whose effect was seen and its key.
	steps map[string]effect
	// over holds the labels whose result was acknowledged.
	over map[string]bool
	// awakeables holds ids by token; waiting is closed when one arrives.
	awakeables map[string]string
	waiting    map[string]chan struct{}
	effects    int
	repeated   int
	overlaps   []string
	doubles    []string
	// choices holds who was first in a race, by token; undone what was undone.
	choices map[string]string
	undone  map[string]bool
	// wrong is what handlers complain of.
	wrong []string
}

type effect struct {
	step   int
	runKey string
}

func newKillWorld(t *testing.T) *killWorld {
	w := &killWorld{t: t, steps: map[string]effect{}, over: map[string]bool{}, awakeables: map[string]string{}, waiting: map[string]chan struct{}{},
		choices: map[string]string{}, undone: map[string]bool{}}
	mux := http.NewServeMux()
	for path, f := range map[string]func(string){"/effect": w.effect, "/awakeable": w.awakeable, "/overlap": w.overlap,
		"/choice": w.choice, "/undo": w.undo, "/wrong": w.complain} {
		mux.HandleFunc(path, func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil { // a killed child cuts its request short
				f(string(body))
			}
		})
	}
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

// effect notes the effect of a step. A step may repeat while its result is not
// durable; it must not once a later one was seen, or the result of the whole was
// acknowledged, and its key must not change.
func (w *killWorld) effect(body string) {
	var label, key string
	var step int
	if _, err := fmt.Sscanf(body, "%s %d %s", &label, &step, &key); err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects++
	last, seen := w.steps[label]
	switch {
	case w.over[label]:
		w.doubles = append(w.doubles, fmt.Sprintf("%s: step %d (%s) after the result was acknowledged", label, step, key))
	case !seen || step == last.step+1:
		w.steps[label] = effect{step: step, runKey: key}
	case step == last.step && key == last.runKey:
		w.repeated++
	default:
		w.doubles = append(w.doubles, fmt.Sprintf("%s: step %d (%s) after step %d (%s)", label, step, key, last.step, last.runKey))
	}
}

// acknowledged notes that a client has the result of what has effects under a label.
func (w *killWorld) acknowledged(label string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over[label] = true
}

func (w *killWorld) awakeable(body string) {
	token, id, _ := strings.Cut(body, " ")
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.awakeables[token]; old != "" && old != id {
		w.doubles = append(w.doubles, fmt.Sprintf("token %s: awakeable %s, then %s", token, old, id))
	}
	w.awakeables[token] = id
	if c := w.waiting[token]; c != nil {
		close(c)
		delete(w.waiting, token)
	}
}

func (w *killWorld) overlap(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.overlaps = append(w.overlaps, key)
}

// arrived returns a channel that is closed once the awakeable of token is here.
func (w *killWorld) arrived(token string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.waiting[token]
	if c == nil {
		c = make(chan struct{})
		if w.awakeables[token] != "" {
			close(c)
			return c
		}
		w.waiting[token] = c
	}
	return c
}

func (w *killWorld) idOf(token string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.awakeables[token]
}

// choice notes who was first in a race. It is told again while that is not
// durable, and must be the same.
func (w *killWorld) choice(body string) {
	token, who, _ := strings.Cut(body, " ")
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.choices[token]; old != "" && old != who {
		w.doubles = append(w.doubles, fmt.Sprintf("race %s: first was %s, then %s", token, old, who))
	}
	w.choices[token] = who
}

func (w *killWorld) undo(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.undone[token] = true
}

// isUndone reports whether a compensation has been seen.
func (w *killWorld) isUndone(token string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.undone[token]
}

func (w *killWorld) complain(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, what)
}

// TestAStepIsNotRepeatedForEver sees the same step again while that is allowed, and when
// its whole was acknowledged or a later step was seen.
func TestAStepIsNotRepeatedForEver(t *testing.T) {
	t.Parallel()
	w := newKillWorld(t)
	w.effect("a 0 k0")
	w.effect("a 0 k0")
	w.effect("a 1 k1")
	w.effect("a 1 k1")
	if w.repeated != 2 || len(w.doubles) > 0 {
		t.Errorf("%d repeated, doubles %v", w.repeated, w.doubles)
	}
	for n, body := range []string{"a 0 k0", "a 1 other"} {
		if w.effect(body); len(w.doubles) != n+1 {
			t.Errorf("%s: doubles %v", body, w.doubles)
		}
	}
	w.acknowledged("a")
	if w.effect("a 1 k1"); len(w.doubles) != 3 || w.repeated != 2 {
		t.Errorf("%d repeated, doubles %v", w.repeated, w.doubles)
	}
}
