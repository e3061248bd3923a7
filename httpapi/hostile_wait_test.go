package httpapi_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHeadOfTheStreamOfEventsEnds(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	conn := dial(t, h.admin)
	in := bufio.NewReader(conn)
	for range 3 {
		say(t, conn, "HEAD /introspection/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		r, err := http.ReadResponse(in, &http.Request{Method: "HEAD"})
		if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%v %v", r, err)
		}
	}
	eventually(t, "no stream is open", func() bool { return h.rt.Stats().EventStreams == 0 })
}

func TestAnAttachWhoseClientHasGoneEndsAlthoughItsBodyNeverCame(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	id := h.send("/Wait/k/for", "")
	for _, path := range []string{"/restate/attach/" + id, "/restate/invocation/" + id + "/attach", "/restate/invocation/Wait/k/for/none/attach"} {
		conn := dial(t, h.ingress)
		say(t, conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	eventually(t, "no request is open", func() bool {
		return strings.Contains(ask(h.client, "GET", h.admin+"/metrics", "").body, `dormouse_http_requests_in_flight{port="ingress"} 0`)
	})
}

// dial opens a connection to a URL of a house.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}
