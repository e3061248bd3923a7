package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/persistence"
)

// patience is how long the tests of whole processes wait for something that
// should come at once.
const patience = time.Minute

// house is everything in one process: a store in a directory, its runtime, and
// both ports on loopback.
type house struct {
	t       *testing.T
	rt      *actors.Runtime
	ingress string
	admin   string
	client  *http.Client
	// leave stops serving and closes the runtime.
	leave func() error
}

// openHouse starts a house, which the test leaves at its end when it has not
// done so before.
func openHouse(t *testing.T, dir string, o actors.Options, p persistence.Options) *house {
	t.Helper()
	store, err := persistence.Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	return openHouseOn(t, store, o)
}

// openHouseOn is openHouse on a store, which it closes; change sets options of
// the server.
func openHouseOn(t *testing.T, store persistence.Store, o actors.Options, change ...func(*httpapi.Options)) *house {
	t.Helper()
	o.Store = store
	rt, err := actors.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	options := httpapi.Options{
		Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler),
		MaxBody: int64(o.MaxPayload), Ready: func(a httpapi.Addresses) { ready <- a },
	}
	for _, fn := range change {
		fn(&options)
	}
	server, err := httpapi.New(rt, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- server.Serve(ctx) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	h := &house{t: t, rt: rt, client: &http.Client{Transport: transport, Timeout: 2 * patience}}
	h.leave = func() error {
		stop()
		transport.CloseIdleConnections()
		err := <-ended
		h.leave = func() error { return nil }
		return errors.Join(err, rt.Close())
	}
	select {
	case at := <-ready:
		h.ingress, h.admin = "http://"+at.Ingress, "http://"+at.Admin
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.leave() })
	return h
}

// reply is what a request got; its status is 0 when there was no answer.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// String is the status and the body.
func (r reply) String() string {
	if r.status == 0 {
		return fmt.Sprintf("no answer: %v", r.err)
	}
	return fmt.Sprintf("%d %s", r.status, r.body)
}

// ask sends a request. headers are pairs; a body without a content type among
// them is JSON.
func ask(c *http.Client, method, url, body string, headers ...string) reply {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	resp, err := c.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{err: err}
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: string(text)}
}

// call posts to the ingress and waits.
func (h *house) call(path, body string, headers ...string) reply {
	return ask(h.client, "POST", h.ingress+path, body, headers...)
}

// later is call on another goroutine.
func (h *house) later(path, body string, headers ...string) <-chan reply {
	got := make(chan reply, 1)
	go func() { got <- h.call(path, body, headers...) }()
	return got
}

// send posts to the ingress and returns the id of what was accepted.
func (h *house) send(path, body string, headers ...string) string {
	h.t.Helper()
	r := h.call(path+"/send", body, headers...)
	if r.status != http.StatusAccepted {
		h.t.Fatalf("send %s: %v", path, r)
	}
	return r.header.Get("X-Restate-Id")
}

// attach waits for the result of an invocation.
func (h *house) attach(id string) reply {
	return ask(h.client, "GET", h.ingress+"/restate/attach/"+id, "")
}

func (h *house) resolve(awakeable, body string) reply {
	return h.call("/restate/awakeables/"+awakeable+"/resolve", body)
}

// view is what introspection says of an invocation, as text.
func (h *house) view(id string) string {
	return ask(h.client, "GET", h.admin+"/introspection/invocations/"+id, "").body
}

// want fails the test unless r has the status and text in its body.
func want(t *testing.T, r reply, status int, text string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.body, text) {
		t.Fatalf("got %v, want %d with %q", r, status, text)
	}
}

// receive waits for an answer that should be there.
func receive(t *testing.T, from <-chan reply) reply {
	t.Helper()
	select {
	case r := <-from:
		return r
	case <-time.After(patience):
		t.Fatal("no answer comes")
		return reply{}
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// skipLong skips what takes many seconds and drives other processes or disks: with
// -short, which the run with the race detector takes.
func skipLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long, and most of it happens in other processes: not with -short")
	}
}

// firstAwakeable returns the id of the first awakeable that an invocation will
// create, which can be told before it has started.
func firstAwakeable(t *testing.T, invocation string) string {
	t.Helper()
	id, err := ident.ParseInvocationID(invocation)
	if err != nil {
		t.Fatal(err)
	}
	return ident.AwakeableID{Invocation: id, Index: 17}.String()
}

// ledger is a file of lines outside of any process: it remembers what really
// happened, also when the process that wrote it was killed.
type ledger string

// write appends a line in one write.
func (l ledger) write(words ...string) error {
	f, err := os.OpenFile(string(l), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = f.WriteString(strings.Join(words, " ") + "\n")
	return err
}

// all returns every line.
func (l ledger) all() (all []string) {
	content, err := os.ReadFile(string(l))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(content)) {
		all = append(all, strings.TrimSuffix(line, "\n"))
	}
	return all
}

// lines returns the rest of every line that starts with a word.
func (l ledger) lines(word string) (all []string) {
	for _, line := range l.all() {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			all = append(all, rest)
		}
	}
	return all
}

// await waits for a line and returns what stands behind the words.
func (l ledger) await(t *testing.T, words ...string) string {
	t.Helper()
	var found string
	prefix := strings.Join(words, " ")
	eventually(t, "line "+prefix, func() bool {
		all := l.lines(prefix)
		if len(all) > 0 {
			found = all[len(all)-1]
		}
		return len(all) > 0
	})
	return found
}

// count returns how often exactly this line was written.
func (l ledger) count(words ...string) int {
	n := 0
	for _, rest := range l.lines(words[0]) {
		if rest == strings.Join(words[1:], " ") {
			n++
		}
	}
	return n
}
