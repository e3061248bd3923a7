package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAProfileIsOfTheMeasuredTime(t *testing.T) {
	t.Parallel()
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked = r.URL.String(); r.URL.Path != "/debug/pprof/profile" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("samples"))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "cpu.pprof")
	r := &runner{config: &config{profile: file, duration: 4 * time.Second}, target: &target{stats: server.URL + "/stats"}}
	if err := r.profiling(t.Context())(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "samples" || asked != "/debug/pprof/profile?seconds=4" {
		t.Errorf("asked for %s, got %q, %v", asked, got, err)
	}
	if err := fetchProfile(t.Context(), server.URL+"/other", file); err == nil {
		t.Error("a target without profiles has given one")
	}
}

func TestAProfileIsOfOneRun(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"-reps", "1"}, {"-reps", "1", "-c", "1,64"}, {"-c", "64"}} {
		if _, err := parse(append(args, "-profile", "cpu.pprof")); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	if _, err := parse([]string{"-profile", "cpu.pprof", "-reps", "1", "-c", "64"}); err != nil {
		t.Error(err)
	}
}
