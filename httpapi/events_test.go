package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/persistence"
)

// frame is one frame of a stream. A comment has no name.
type frame struct{ id, name, data string }

// status returns the status in the data.
func (f frame) status() string { return f.field("status") }

func (f frame) field(name string) string {
	var v map[string]any
	_ = json.Unmarshal([]byte(f.data), &v)
	s, _ := v[name].(string)
	return s
}

// listener reads a stream of events.
type listener struct {
	t      *testing.T
	frames chan frame
	proto  string
	cancel context.CancelFunc
}

// listen opens a stream and returns when its first frame, a comment, is there.
// headers are pairs.
func listen(t *testing.T, c *http.Client, admin, query string, headers ...string) *listener {
	t.Helper()
	l := listenEarly(t, c, admin, query, headers...)
	if f := l.next(); f.name != "" {
		t.Fatalf("the stream begins with %v", f)
	}
	return l
}

func listenEarly(t *testing.T, c *http.Client, admin, query string, headers ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", admin+"/introspection/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	l := &listener{t: t, frames: make(chan frame, 100_000), proto: resp.Proto, cancel: cancel}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("the stream is answered %d %s", resp.StatusCode, text)
	}
	go l.read(resp.Body)
	t.Cleanup(cancel)
	return l
}

func (l *listener) read(body io.ReadCloser) {
	defer close(l.frames)
	defer func() { _ = body.Close() }()
	var f frame
	for in := bufio.NewScanner(body); in.Scan(); {
		name, value, _ := strings.Cut(in.Text(), ": ")
		switch {
		case in.Text() == "":
			l.frames <- f
			f = frame{}
		case name == "id":
			f.id = value
		case name == "event":
			f.name = value
		case name == "data":
			f.data = value
		}
	}
}

// next returns the next frame, the zero one at the end of the stream.
func (l *listener) next() frame {
	l.t.Helper()
	select {
	case f := <-l.frames:
		return f
	case <-time.After(patience):
		l.t.Fatal("no event comes")
		return frame{}
	}
}

// until returns what comes up to the first frame for which stop holds.
func (l *listener) until(stop func(frame) bool) (all []frame) {
	l.t.Helper()
	for {
		f := l.next()
		if f == (frame{}) {
			l.t.Fatalf("the stream has ended after %d frames", len(all))
		}
		if all = append(all, f); stop(f) {
			return all
		}
	}
}

// h2c returns a client that speaks HTTP/2 without TLS.
func h2c(t *testing.T) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestAStreamTellsTheLifeOfAnInvocationOverBothProtocols(t *testing.T) {
	t.Parallel()
	notes := ledger(t.TempDir() + "/ledger")
	h := openHouse(t, t.TempDir(), actors.Options{Services: deskServices(notes), InactivityTimeout: -1}, persistence.Options{})
	for proto, client := range map[string]*http.Client{"HTTP/1.1": h.client, "HTTP/2.0": h2c(t)} {
		name := strings.ReplaceAll(proto, "/", "")
		l := listen(t, client, h.admin, "topics=invocation,awakeable,object&service=Desk&key="+name)
		if l.proto != proto {
			t.Errorf("the stream is %s", l.proto)
		}
		id := h.send("/Desk/"+name+"/ask", `"`+name+`"`)
		suspended := func(f frame) bool { return f.name == "object.changed" && f.status() == "suspended" }
		var names []string
		frames := l.until(suspended)
		want(t, h.resolve(firstAwakeable(t, id), `"yes"`), 202, "")
		frames = append(frames, l.until(func(f frame) bool { return f.name == "object.changed" && f.status() == "idle" })...)
		for _, f := range frames {
			if f.field("key") != name {
				t.Errorf("%s: an event of another key: %v", proto, f)
			}
			names = append(names, strings.TrimSpace(f.name+" "+f.status()+f.field("state")))
		}
		got := strings.Join(names, ", ")
		wanted := "invocation.created ready, object.changed running, invocation.status running, awakeable.pending created, " +
			"awakeable.pending awaited, invocation.status suspended, object.changed suspended, " +
			"invocation.status ready, awakeable.completed completed, object.changed running, invocation.status running, " +
			"invocation.completed completed, object.changed idle"
		if got != wanted {
			t.Errorf("%s: the events are\n%s, want\n%s", proto, got, wanted)
		}
		l.cancel()
	}
	eventually(t, "the end of the streams", func() bool { return h.rt.Stats().EventStreams == 0 })
}

func TestAClientThatComesBackWithItsLastEventMissesNothing(t *testing.T) {
	t.Parallel()
	notes := ledger(t.TempDir() + "/ledger")
	h := openHouse(t, t.TempDir(), actors.Options{Services: deskServices(notes)}, persistence.Options{})
	completed := func(f frame) bool { return f.name == "invocation.completed" }
	whole := listen(t, h.client, h.admin, "")
	var ids, last []string
	for i := range 5 {
		var l *listener
		if i == 0 {
			l = listen(t, h.client, h.admin, "")
		} else {
			l = listen(t, h.client, h.admin, "after=1-0", "Last-Event-ID", last[len(last)-1])
		}
		want(t, h.call("/Desk/x/note", fmt.Sprint(i)), 200, "")
		for range min(i, 1) + 1 { // that of the pause, and its own
			for _, f := range l.until(completed) {
				ids = append(ids, f.id)
			}
		}
		last = append(last, ids[len(ids)-1])
		l.cancel()
		if i < 4 {
			want(t, h.call("/Desk/x/note", "100"), 200, "")
		}
	}
	var all []string
	for range 9 {
		for _, f := range whole.until(completed) {
			all = append(all, f.id)
		}
	}
	if strings.Join(ids, " ") != strings.Join(all, " ") {
		t.Errorf("in pieces there came\n%v, in one\n%v", ids, all)
	}
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	if f := whole.next(); f != (frame{}) {
		t.Errorf("after the end of the server there comes %v", f)
	}
}

func TestAnEventThatWasSeenSurvivesKill(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	for round := range 3 {
		l := listen(t, c.client, c.admin, "")
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					c.call(fmt.Sprintf("/Desk/k%d/note/send", i%20), fmt.Sprint(i))
				}
			}
		}()
		seen, position := map[string]string{}, ""
		see := func(f frame) {
			if f.id != "" {
				position = f.id
			}
			if id := f.field("id"); id != "" {
				seen[id] = f.name
			}
		}
		for range 200 + 50*round {
			see(l.next())
		}
		c.kill()
		close(stop)
		<-stopped
		for f := range l.frames {
			see(f)
		}
		c = startChild(t, c.dir)
		for id, name := range seen {
			view := c.view(id)
			if !strings.Contains(view, `"id":"`+id+`"`) {
				t.Fatalf("%s of %s was seen, and after the kill it is %s", name, id, view)
			}
			if name == "invocation.completed" && !strings.Contains(view, `"status":"completed"`) {
				t.Errorf("%s was seen to complete, and after the kill it is %s", id, view)
			}
		}
		back := listenEarly(t, c.client, c.admin, "", "Last-Event-ID", position)
		if f := back.next(); f.name != "reset" || f.data != `{"reason":"restarted"}` {
			t.Errorf("after the kill the stream begins with %v", f)
		}
		back.cancel()
	}
}

// TestAClientThatTakesNothingIsDropped connects one that never reads, and makes
// more events than the system buffers for it.
func TestAClientThatTakesNothingIsDropped(t *testing.T) {
	t.Parallel()
	notes := ledger(t.TempDir() + "/ledger")
	h := openHouseOn(t, persistence.NewMemory(), actors.Options{Services: deskServices(notes)}, func(o *httpapi.Options) { o.TransferTimeout = 300 * time.Millisecond })
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.admin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.(*net.TCPConn).SetReadBuffer(1 << 12); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET /introspection/events HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream", func() bool { return h.rt.Stats().EventStreams == 1 })
	quick := listen(t, h.client, h.admin, "")
	var calls sync.WaitGroup
	dropped := make(chan struct{})
	completed := make([]int, 8)
	for n := range completed {
		calls.Go(func() {
			for {
				select {
				case <-dropped:
					return
				default:
				}
				if r := h.call(fmt.Sprintf("/Desk/k%d/note", n), "1"); r.status != 200 {
					t.Errorf("beside the client that takes nothing, a call is answered %v", r)
					return
				}
				completed[n]++
			}
		})
	}
	eventually(t, "the end of the stream that takes nothing", func() bool { return h.rt.Stats().EventStreams == 1 })
	close(dropped)
	calls.Wait()
	sum := 0
	for _, n := range completed {
		sum += n
	}
	for range sum {
		quick.until(func(f frame) bool { return f.name == "invocation.completed" })
	}
}

func TestStreamsBeyondTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	notes := ledger(t.TempDir() + "/ledger")
	h := openHouse(t, t.TempDir(), actors.Options{Services: deskServices(notes), MaxEventStreams: 1}, persistence.Options{})
	l := listen(t, h.client, h.admin, "")
	r := ask(h.client, "GET", h.admin+"/introspection/events", "")
	want(t, r, 429, "there are 1 event streams, as many as Options.MaxEventStreams allows")
	if r.header.Get("Retry-After") == "" {
		t.Error("the answer says nothing about when to come back")
	}
	l.cancel()
	eventually(t, "the end of the first one", func() bool { return h.rt.Stats().EventStreams == 0 })
	listen(t, h.client, h.admin, "")
}
