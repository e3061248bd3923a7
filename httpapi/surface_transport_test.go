package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// transportRows are about what is below the routes.
func transportRows() []row {
	large, id := `"`+strings.Repeat("x", 64<<10)+`"`, strings.Repeat("r", 128)
	return []row{
		{shows: "1.ingress 1.http1 1.h2c", story: func(t *testing.T, s *stage) {
			r, err := s.client.Get(s.ingress + "/restate/health")
			if err != nil || r.ProtoMajor != s.major || r.StatusCode != 200 {
				t.Fatalf("got %+v, %v", r, err)
			}
			_ = r.Body.Close()
		}},
		{shows: "1.admin", ask: "GET /introspection/invocations/x", status: 404, has: []string{"X-Restate-Error-Source", "ingress"}},
		{shows: "1.admin", ask: "PATCH /invocations/inv_1/cancel", status: 404},
		{shows: "1.limit 4.shape 5.4.large 16.g", ask: "POST /Greeter/Greet", body: large, status: 413, text: "65536 bytes", has: []string{"X-Restate-Error-Source", "ingress", "Content-Type", "application/json"}},
		{shows: "1.limit 5.4.large", story: chunkedIsTooLarge("/Greeter/Greet")},
		{shows: "1.limit 10.large", story: chunkedIsTooLarge("/restate/awakeables/" + nobody + "/resolve")},
		{shows: "1.limit 8.2.malformed", story: chunkedIsTooLarge("/restate/lookup")},
		{shows: "1.request-id", ask: "GET /restate/health", headers: []string{"X-Request-Id", id}, status: 200, has: []string{"X-Request-Id", id}},
		{shows: "1.request-id", ask: "GET /Nope/x", headers: []string{"X-Request-Id", "a b~"}, status: 404, has: []string{"X-Request-Id", "a b~"}},
		{shows: "1.request-id", story: func(t *testing.T, s *stage) {
			for _, given := range []string{id + "x", "é", ""} {
				if got := s.do("GET /restate/health", "", "X-Request-Id", given).header.Get("X-Request-Id"); got == given || len(got) != 32 {
					t.Errorf("%q became %q", given, got)
				}
			}
		}},
		{shows: "1.no-timeout 1.client-leaves", story: aClientThatLeaves},
		{shows: "1.shed", story: manyRequests},
		{shows: "1.draining 1.no-answer", story: stopWhileACallWaits},
		{shows: "1.no-answer", story: aCommitFails},
		{shows: "1.507", story: shortOfSpace},
		{shows: "1.refused 16.l", story: rawRequests},
	}
}

// nobody is an awakeable id that no invocation has issued.
const nobody = "sign_1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAAAEQ"

// chunkedIsTooLarge sends a body that does not say how long it is.
func chunkedIsTooLarge(path string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		body := io.MultiReader(strings.NewReader(`"`), strings.NewReader(strings.Repeat("x", 70<<10)), strings.NewReader(`"`))
		r, err := http.NewRequest("POST", s.ingress+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		got := reply{status: resp.StatusCode, header: resp.Header, body: string(text), err: err}
		want(t, got, 413, "larger than 65536 bytes")
		obeys(t, "POST", got)
	}
}

func aClientThatLeaves(t *testing.T, s *stage) {
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		r, _ := http.NewRequestWithContext(ctx, "POST", s.ingress+"/Obj/left/Hold", strings.NewReader(`"left"`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "left")
		_, err := s.client.Do(r) //nolint:bodyclose // there is none
		gone <- err
	}()
	s.untilQueued("/Obj/left/Hold", "left")
	leave()
	if err := <-gone; err == nil {
		t.Fatal("the client got an answer")
	}
	want(t, s.get("/restate/invocation/Obj/left/Hold/left/output"), 470, "")
	s.gate.openFor("left")
	want(t, s.get("/restate/invocation/Obj/left/Hold/left/attach"), 200, `"left"`)
}

// second opens another house for a story that needs one of its own.
func (s *stage) second(t *testing.T, o actors.Options, store persistence.Store) *stage {
	t.Helper()
	other := &stage{t: t, gate: newGate(), major: s.major}
	o.Services = surfaceServices(other.gate)
	other.house = openHouseOn(t, store, o)
	other.client = newSurfaceClient(t, s.major)
	t.Cleanup(other.gate.openAll)
	return other
}

// manyRequests lets calls wait beyond the bound, which do not count, and then
// holds the disk, so that requests do.
func manyRequests(t *testing.T, s *stage) {
	store := &heldStore{Store: persistence.NewMemory()}
	o := s.second(t, actors.Options{MaxConcurrentRequests: 2}, store)
	for n := range 4 {
		o.send("/Obj/"+fmt.Sprint(n)+"/Hold", `"shed"`)
	}
	var waiting []<-chan reply
	for n := range 4 {
		waiting = append(waiting, o.later("/Obj/"+fmt.Sprint(n)+"/Add", "1", "Idempotency-Key", "i"))
		o.untilQueued("/Obj/"+fmt.Sprint(n)+"/Add", "i")
	}
	want(t, o.do("POST /Greeter/NoIn", ""), 200, "")
	store.hold()
	held := o.later("/Obj/a/Add", "1")
	var refused reply
	eventually(t, "a refusal", func() bool {
		ctx, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer leave()
		refused = askWithin(ctx, o.client, o.ingress+"/Obj/c/Add", "1")
		return refused.status == 429
	})
	obeys(t, "POST", refused)
	check(t, row{status: 429, has: []string{"Retry-After", "*", "X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}}, refused)
	store.release()
	receive(t, held)
	eventually(t, "admission", func() bool { return o.call("/Obj/d/Add", "1").status == 200 })
	o.gate.openFor("shed")
	for _, w := range waiting {
		want(t, receive(t, w), 200, "1")
	}
}

// aCommitFails while a call waits for its result and another one for its
// acceptance: nobody is told that nothing happened.
func aCommitFails(t *testing.T, s *stage) {
	store := &heldStore{Store: persistence.NewMemory()}
	o := s.second(t, actors.Options{}, store)
	waiting := o.later("/Obj/k/Hold", `"broken"`, "Idempotency-Key", "i")
	o.untilQueued("/Obj/k/Hold", "i")
	store.hold()
	accepting := o.later("/Obj/l/Add", "1")
	eventually(t, "that the second call is under way", func() bool { return store.asked.Load() })
	store.broken.Store(true)
	store.release()
	if r := receive(t, waiting); r.status != 0 {
		t.Errorf("the waiting call got %v", r)
	}
	// It may have come too late to be handed over.
	if r := receive(t, accepting); r.status != 0 && (r.status != 503 || r.header.Get("X-Restate-Error-Source") != "ingress") {
		t.Errorf("the new call got %v", r)
	}
}

// heldStore is a store whose commits wait while it is held, and fail when it is
// broken.
type heldStore struct {
	persistence.Store
	mu            sync.Mutex
	asked, broken atomic.Bool
}

func (h *heldStore) hold() {
	h.mu.Lock()
	h.asked.Store(false)
}

func (h *heldStore) release() { h.mu.Unlock() }

// Commit implements persistence.Store.
func (h *heldStore) Commit(group []*persistence.Batch, marks persistence.Marks) error {
	h.asked.Store(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken.Load() {
		return errors.New("the disk is gone")
	}
	return h.Store.Commit(group, marks)
}

// askWithin posts JSON as long as ctx lasts.
func askWithin(ctx context.Context, c *http.Client, url, body string) reply {
	r, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(text), err: err}
}

// stopWhileACallWaits stops serving while one call waits and another comes.
func stopWhileACallWaits(t *testing.T, s *stage) {
	o := s.second(t, actors.Options{CloseGrace: 5 * time.Second}, persistence.NewMemory())
	waiting := o.later("/Obj/k/Hold", `"drain"`, "Idempotency-Key", "i")
	o.untilQueued("/Obj/k/Hold", "i")
	left := make(chan error, 1)
	go func() { left <- o.leave() }()
	var refused reply
	// A call that is accepted before the stop gets no answer any more.
	impatient := &http.Client{Transport: o.client.Transport, Timeout: 500 * time.Millisecond}
	eventually(t, "a refusal", func() bool {
		if refused.status != 503 {
			refused = ask(impatient, "POST", o.ingress+"/Greeter/NoIn", "")
		}
		return refused.status == 503
	})
	obeys(t, "POST", refused)
	check(t, row{status: 503, has: []string{"Retry-After", "*", "X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}}, refused)
	if r := receive(t, waiting); r.status != 0 {
		t.Errorf("the call that was handed over got %v", r)
	}
	o.gate.openAll()
	if err := <-left; err != nil {
		t.Logf("leave: %v", err)
	}
}

// shortOfSpace lets the disk fill and empty again.
func shortOfSpace(t *testing.T, s *stage) {
	var free atomic.Uint64
	free.Store(1 << 40)
	store, err := persistence.Open(filepath.Join(t.TempDir(), "data"), persistence.Options{Probe: func(string) (persistence.Room, error) {
		return persistence.Room{Bytes: free.Load(), Inodes: 1 << 30, Files: 1 << 20, Maps: 1 << 20}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	o := s.second(t, actors.Options{}, store)
	done, open := o.send("/Obj/d/Add", "7"), o.send("/Obj/h/Hold", `"space"`)
	want(t, o.attach(done), 200, "7")
	free.Store(300 << 20)
	var refused reply
	eventually(t, "a refusal", func() bool { refused = o.do("POST /Obj/e/Add", "1"); return refused.status == 507 })
	check(t, row{status: 507, has: []string{"Retry-After", "5", "X-Restate-Error-Source", "ingress"}}, refused)
	want(t, o.do("POST /Obj/e/Add/send", "1"), 507, "")
	want(t, o.attach(done), 200, "7")
	want(t, o.get("/restate/output/"+open), 470, "")
	o.gate.openFor("space")
	want(t, o.attach(open), 200, `"space"`)
	free.Store(1 << 40)
	eventually(t, "admission", func() bool { return o.do("POST /Obj/e/Add", "1").status == 200 })
}

// rawRequests are bytes on the wire that no client would send. Each is refused
// by net/http in plain text with its 400, or by the ingress in its own way.
func rawRequests(t *testing.T, s *stage) {
	if s.major == 2 {
		// The frames of HTTP/2 leave less to say: a CONNECT has no path.
		want(t, s.do("CONNECT ", ""), 400, "no path of the ingress")
		want(t, s.do("FOO /Greeter/NoIn", ""), 405, "")
		return
	}
	const host = "Host: h\r\n\r\n"
	long := strings.Repeat("x", 200<<10)
	rows := []struct{ request, status, form string }{
		{"GET /%zz/NoIn HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET /Obj/%4/Get HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET /Obj/\x00/Get HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET /Obj/\x7f/Get HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET /Greeter/NoIn HTTP/1.1\r\n\r\n", "400", "plain"},
		{"GET /Greeter/NoIn HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", "plain"},
		{"GET /Greeter/NoIn HTTP/1.1\r\nHost: a b\r\n\r\n", "400", "plain"},
		{"G@T /Greeter/NoIn HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET Greeter/NoIn HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET  HTTP/1.1\r\n" + host, "400", "plain"},
		{"GET /Greeter/NoIn HTTP/1.1\r\nX: \x01\r\n" + host, "400", "plain"},
		{"GET /Greeter/NoIn HTTP/1.1\r\nX Y: 1\r\n" + host, "400", "plain"},
		{"POST /Greeter/Greet HTTP/1.1\r\nContent-Length: -1\r\n" + host, "400", "plain"},
		{"GET /Greeter/NoIn HTTP/1.1\r\nX: \xff\r\n" + host, "400", "json"},
		{"FOO /Greeter/NoIn HTTP/1.1\r\n" + host, "405", "json"},
		{"get /Greeter/NoIn HTTP/1.1\r\n" + host, "405", "json"},
		{"GET http://other/Greeter/NoIn?x=1 HTTP/1.1\r\n" + host, "200", ""},
		{"GET http://other/Obj//Get HTTP/1.1\r\n" + host, "200", ""},
		{"GET http://other HTTP/1.1\r\n" + host, "400", "json"},
		{"GET http:Greeter/NoIn HTTP/1.1\r\n" + host, "400", "json"},
		{"CONNECT other:1 HTTP/1.1\r\n" + host, "400", "json"},
		{"CONNECT /Greeter/NoIn HTTP/1.1\r\n" + host, "405", "json"},
		{"OPTIONS * HTTP/1.1\r\n" + host, "200", ""},
		{"GET * HTTP/1.1\r\n" + host, "400", "json"},
		{"GET //Greeter/NoIn HTTP/1.1\r\n" + host, "404", "json"},
		{"GET ///Greeter/NoIn HTTP/1.1\r\n" + host, "404", "json"},
		{"GET /./Greeter/NoIn HTTP/1.1\r\n" + host, "404", "json"},
		{"GET /Greeter/../Greeter/NoIn HTTP/1.1\r\n" + host, "400", "json"},
		{"GET /Obj/../Get HTTP/1.1\r\n" + host, "200", ""},
		{"GET /Obj/%00/Get HTTP/1.1\r\n" + host, "200", ""},
		{"GET /Greeter/%4eoIn HTTP/1.1\r\n" + host, "404", "json"},
		{"GET /Greeter/NoIn#x HTTP/1.1\r\n" + host, "404", "json"},
		{"GET /Greeter/NoIn;x HTTP/1.1\r\n" + host, "404", "json"},
		{"GET /" + long[:60<<10] + "/x HTTP/1.1\r\n" + host, "400", "json"},
		{"GET /" + long[:70<<10] + "/x HTTP/1.1\r\n" + host, "431", "json"},
		{"GET /restate/health HTTP/1.1\r\nX: " + long[:70<<10] + "\r\n" + host, "431", "json"},
		{"GET /restate/health HTTP/1.1\r\nX: " + long + "\r\n" + host, "431", "plain"},
	}
	for _, r := range rows {
		got := s.wire(t, r.request)
		name := r.request[:min(len(r.request), 60)]
		if fmt.Sprint(got.status) != r.status {
			t.Errorf("%q: got %v, want %s", name, got, r.status)
			continue
		}
		switch r.form {
		case "json":
			obeys(t, "GET", got)
		case "plain":
			if ct := got.header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain") {
				t.Errorf("%q: the refusal of net/http has type %q", name, ct)
			}
		}
	}
}

// wire sends bytes on a connection of their own and reads one answer.
func (s *stage) wire(t *testing.T, request string) reply {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.ingress, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = io.WriteString(c, request) }()
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: strings.ToUpper(method)})
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(text), err: err}
}
