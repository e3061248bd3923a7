package exampletest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// String returns status and body.
func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// Do sends a request with a JSON body, or without a body when that is empty.
// Headers are pairs of name and value. It may be called from any goroutine; a
// request without an answer has the status 0 and the error as its body.
func Do(method, url, body string, headers ...string) Answer {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return Answer{Body: err.Error()}
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return Answer{Body: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{Body: err.Error()}
	}
	return Answer{resp.StatusCode, resp.Header, string(b)}
}

// Post sends a JSON body to a path of the ingress.
func (p *Program) Post(path, body string, headers ...string) Answer {
	return Do(http.MethodPost, p.Ingress+path, body, headers...)
}

// Get reads a path of the ingress.
func (p *Program) Get(path string) Answer { return Do(http.MethodGet, p.Ingress+path, "") }

// Want fails the test unless the answer has this status and this body, in which
// ... stands for anything.
func Want(t *testing.T, got Answer, status int, body string) {
	t.Helper()
	if got.Status != status || !fits(body, strings.TrimSpace(got.Body)) {
		t.Errorf("answered %v\n    want %d %s", got, status, body)
	}
}

// Eventually waits until done is true.
func Eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !done(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// fits reports whether text is pattern, in which ... stands for anything.
func fits(pattern, text string) bool {
	parts := strings.Split(pattern, "...")
	first, rest := parts[0], parts[1:]
	if len(rest) == 0 {
		return text == pattern
	}
	text, ok := strings.CutPrefix(text, first)
	for _, part := range rest[:len(rest)-1] {
		_, after, found := strings.Cut(text, part)
		text, ok = after, ok && found
	}
	return ok && strings.HasSuffix(text, rest[len(rest)-1])
}

// Receive returns what comes out of c, or fails the test when nothing does.
func Receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain for what a test has to be told")
		panic("unreachable")
	}
}
