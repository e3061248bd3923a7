package httpapi

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

func TestMountReachesTheRuntimeAndBothPorts(t *testing.T) {
	t.Parallel()
	var rt *actors.Runtime
	mount := func(m *Mount) error {
		rt = m.Runtime
		admin, in := m.Admin, m.Ingress
		m.Admin = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/mine" {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			admin.ServeHTTP(w, r)
		})
		m.Ingress = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Mine", "yes")
			in.ServeHTTP(w, r)
		})
		return nil
	}
	at, end, err := run(t, Config{Dir: filepath.Join(t.TempDir(), "data"), Mount: mount})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{
		"http://" + at.Admin + "/mine": 418, "http://" + at.Admin + "/health": 200, "http://" + at.Ingress + "/restate/health": 200,
	} {
		resp, err := http.Get(url)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s: %v, %v", url, resp, err)
		}
		_ = resp.Body.Close()
		if mine := resp.Header.Get("X-Mine"); (mine == "yes") != strings.Contains(url, "restate") {
			t.Errorf("%s: the handler in front says %q", url, mine)
		}
	}
	hello, err := ingress.Service[string, string](rt.Client(), "Greeter", "Greet").Request(t.Context(), "you")
	if err != nil || hello != "hi you" {
		t.Errorf("in process: %q, %v", hello, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, err := ingress.Service[string, string](rt.Client(), "Greeter", "Greet").Request(t.Context(), "you"); err == nil {
		t.Error("a client goes on when Run has returned")
	}
}

func TestAMountThatFailsEndsRunAndClosesEverything(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	broken := errors.New("no page")
	if _, _, err := run(t, Config{Dir: dir, Mount: func(*Mount) error { return broken }}); !errors.Is(err, broken) {
		t.Fatalf("Run: %v", err)
	}
	store, err := persistence.Open(dir, persistence.Options{Logger: quiet()})
	if err != nil {
		t.Fatalf("the store was not closed: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMountMayLeaveThePortsAsTheyAre(t *testing.T) {
	t.Parallel()
	at, end, err := run(t, Config{Dir: filepath.Join(t.TempDir(), "data"), Mount: func(m *Mount) error { *m = Mount{}; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + at.Ingress + "/restate/health")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	if err := end(); err != nil {
		t.Error(err)
	}
}
