package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	badger "github.com/dgraph-io/badger/v4"
)

// ceiling serves over a store in memory.
func ceiling(t *testing.T, callback string) *httptest.Server {
	t.Helper()
	db, err := badger.Open(badger.DefaultOptions("").WithInMemory(true).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	c := newCommitter(db)
	server := httptest.NewServer(newServer(c, callback).routes())
	t.Cleanup(func() {
		server.Close()
		close(c.requests)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func TestTheCeilingAnswersThePathsOfTheWorkloads(t *testing.T) {
	t.Parallel()
	url := ceiling(t, "").URL
	rows := []struct {
		path, body string
		status     int
		want       string
	}{
		{"/Counter/a/add", "2", 200, "2"},
		{"/Counter/a/add", "3", 200, "5"},
		{"/Counter/a/add/send", "1", 202, `{"status":"Accepted"}`},
		{"/Steps/s/run10", "1", 200, "1"},
		{"/restate/awakeables/sign_9/resolve", `"ok"`, 404, "{\"message\":\"unknown awakeable\"}\n"},
	}
	for _, row := range rows {
		if status, body := post(t, url+row.path, row.body); status != row.status || body != row.want {
			t.Errorf("%s: %d %q, want %d %q", row.path, status, body, row.status, row.want)
		}
	}
	r, err := http.Get(url + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	stats, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "{\"done\":4,\"group_commits\":14,\"rows\":18}\n"; string(stats) != want {
		t.Errorf("stats %s, want %s", stats, want)
	}
}

func TestTheCeilingOfAWaitNeedsCallbackAndResolve(t *testing.T) {
	t.Parallel()
	called := make(chan string, 1)
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		called <- string(b)
	}))
	defer handler.Close()
	url := ceiling(t, handler.URL).URL
	answered := make(chan string, 1)
	go func() {
		r, err := http.Post(url+"/Waiter/w/wait", "application/json", strings.NewReader(`"token"`))
		if err != nil {
			answered <- err.Error()
			return
		}
		b, _ := io.ReadAll(r.Body)
		answered <- string(b)
	}()
	token, id, _ := strings.Cut(<-called, " ")
	if status, body := post(t, url+"/restate/awakeables/"+id+"/resolve", `"ok"`); status != 202 || token != "token" {
		t.Errorf("token %s: %d %s", token, status, body)
	}
	if got := <-answered; got != `"ok"` {
		t.Errorf("answer %s", got)
	}
}
