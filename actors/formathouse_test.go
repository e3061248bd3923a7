package actors_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/httpapi"
)

// kept says under which ids the exhibits of a directory are.
type kept struct {
	Invocations map[string]string   `json:"invocations"`
	Awakeables  map[string][]string `json:"awakeables"` // by service/key, in the order of their making
}

// keptTime is the time at which kept directories are written.
func keptTime() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

// clockFrom is a clock that began at from when the process did at began.
type clockFrom struct{ from, began time.Time }

// Now implements actors.Clock.
func (c clockFrom) Now() time.Time { return c.from.Add(time.Since(c.began)) }

// AfterFunc implements actors.Clock.
func (clockFrom) AfterFunc(d time.Duration, fn func()) func() bool { return time.AfterFunc(d, fn).Stop }

// keptHouse asks a runtime over a kept directory.
type keptHouse struct {
	t              *testing.T
	ingress, admin string
	client         *http.Client
}

// openKept serves a directory at a time after it was written, until leave.
func openKept(t *testing.T, dir string, later time.Duration) (h *keptHouse, leave func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	c := httpapi.Config{Dir: dir, Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler), Ready: func(a httpapi.Addresses) { ready <- a }}
	c.Runtime.Clock = clockFrom{from: keptTime().Add(later), began: time.Now()}
	go func() { ended <- httpapi.Run(ctx, c, new(shelf).services()...) }()
	h = &keptHouse{t: t, client: &http.Client{Transport: new(http.Transport), Timeout: time.Minute}}
	var once bool
	leave = func() {
		if stop(); once {
			return
		}
		once = true
		h.client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("serving the directory: %v", err)
		}
	}
	select {
	case a := <-ready:
		h.ingress, h.admin = "http://"+a.Ingress, "http://"+a.Admin
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	t.Cleanup(leave)
	return h, leave
}

// ask sends a request and returns its answer; a status of 0 is none.
func (h *keptHouse) ask(method, url, body string, headers ...string) (status int, answer string, header http.Header) {
	h.t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := h.client.Do(r)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error(), nil
	}
	return resp.StatusCode, strings.TrimSpace(string(text)), resp.Header
}

// must is ask, which fails the test unless the answer has a status.
func (h *keptHouse) must(want int, method, url, body string, headers ...string) (answer string, header http.Header) {
	h.t.Helper()
	status, answer, header := h.ask(method, url, body, headers...)
	if status != want {
		h.t.Fatalf("%s %s: got %d %s, want %d", method, url, status, answer, want)
	}
	return answer, header
}

func (h *keptHouse) resolve(awakeable, value string) {
	h.t.Helper()
	h.must(http.StatusAccepted, "POST", h.ingress+"/restate/awakeables/"+awakeable+"/resolve", fmt.Sprintf("%q", value))
}

// status is what introspection calls an invocation; empty when there is none.
func (h *keptHouse) status(id string) string {
	_, answer, _ := h.ask("GET", h.admin+"/introspection/invocations/"+id, "")
	var v struct{ Status string }
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		h.t.Fatalf("%s: %v", answer, err)
	}
	return v.Status
}

// eventually waits until something holds.
func (h *keptHouse) eventually(what func() string, holds func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("in vain: %s", what())
		}
	}
}

// becomes waits until an invocation has a status.
func (h *keptHouse) becomes(name, id, want string) {
	h.t.Helper()
	got := ""
	h.eventually(func() string { return fmt.Sprintf("%s is %q, not %q", name, got, want) }, func() bool {
		got = h.status(id)
		return got == want
	})
}

// awakeables lists those that wait, by service and key.
func (h *keptHouse) awakeables() map[string][]string {
	h.t.Helper()
	answer, _ := h.must(http.StatusOK, "GET", h.admin+"/introspection/awakeables?limit=100", "")
	var page struct {
		Items []struct {
			ID      string `json:"awakeable_id"`
			Service string
			Key     string
			Index   int
		}
	}
	if err := json.Unmarshal([]byte(answer), &page); err != nil {
		h.t.Fatal(err)
	}
	const first = 17
	all := map[string][]string{}
	for _, i := range page.Items {
		key := i.Service + "/" + i.Key
		for len(all[key]) <= i.Index-first {
			all[key] = append(all[key], "")
		}
		all[key][i.Index-first] = i.ID
	}
	return all
}
