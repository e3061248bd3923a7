package wire

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTheClientReadsEveryFormOfAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch r.URL.Path {
		case "/chunked":
			w.(http.Flusher).Flush()
			_, _ = w.Write(body)
			w.(http.Flusher).Flush()
			_, _ = w.Write(body)
		case "/close":
			w.Header().Set("Connection", "close")
			_, _ = w.Write(body)
		case "/empty":
			w.WriteHeader(http.StatusAccepted)
		default:
			http.Error(w, r.Header.Get("Content-Type"), http.StatusNotFound)
		}
	}))
	defer server.Close()
	c := Client{Host: strings.TrimPrefix(server.URL, "http://")}
	defer c.Close()
	rows := []struct {
		path, body string
		status     int
		want       string
	}{
		{"/chunked", "ab", 200, "abab"},
		{"/close", "ab", 200, "ab"},
		{"/empty", "", 202, ""},
		{"/none", "1", 404, "application/json\n"},
		{"/none", "", 404, "\n"},
		{"/chunked", strings.Repeat("x", 20_000), 200, strings.Repeat("x", 40_000)},
	}
	for _, row := range rows {
		status, body, err := c.Post(row.path, row.body, time.Minute)
		if err != nil || status != row.status || string(body) != row.want {
			t.Errorf("%s: %d %.20q %v, want %d %.20q", row.path, status, body, err, row.status, row.want)
		}
	}
}

func TestAnAnswerThatIsNoHTTPIsAnError(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"hello\n", "HTTP/1.1 abc OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "HTTP/1.1 200 OK\r\n"} {
		if _, err := readAnswer(answer); err == nil {
			t.Errorf("%q was understood", answer)
		}
	}
}

// readAnswer lets a client read an answer from memory.
func readAnswer(text string) (int, error) {
	c := Client{in: bufio.NewReader(strings.NewReader(text))}
	return c.read()
}
