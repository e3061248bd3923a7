package actors_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/faults"
)

var formatWrite = flag.String("format.write", "", "where TestWriteFormat puts directories of the format of this build; empty skips it")

// Environment of the child that writes a directory.
const (
	envFormatDir     = "DORMOUSE_FORMAT_DIR"
	envFormatIngress = "DORMOUSE_FORMAT_INGRESS"
	envFormatAdmin   = "DORMOUSE_FORMAT_ADMIN"
)

// TestWriteFormat writes the two directories that are kept of a format: one that
// was closed, and one whose process was killed.
func TestWriteFormat(t *testing.T) {
	if *formatWrite == "" {
		t.Skip("give -format.write=DIR to write directories of this format")
	}
	if err := os.MkdirAll(*formatWrite, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"closed", "killed"} {
		writeKept(t, how)
	}
}

// TestFormatChild is the process that writes a directory; by itself it does
// nothing.
func TestFormatChild(t *testing.T) {
	dir := os.Getenv(envFormatDir)
	if dir == "" {
		t.Skip("it runs as the child of TestWriteFormat")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := httpapi.Config{Dir: dir, Ingress: os.Getenv(envFormatIngress), Admin: os.Getenv(envFormatAdmin),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	c.Runtime.Clock = clockFrom{from: keptTime(), began: time.Now()}
	c.Runtime.CloseGrace = time.Second
	s := &shelf{writing: true}
	s.stopAt(&c.Runtime, dir)
	if err := httpapi.Run(ctx, c, s.services()...); err != nil {
		t.Fatal(err)
	}
}

// stopAt lets a sweep stand still behind its first slice, and everything when the
// last sender has handed over what it owes. Files beside dir say that.
func (s *shelf) stopAt(o *actors.Options, dir string) {
	var sweeping, last, over atomic.Bool
	s.sweep, s.last = func() { sweeping.Store(true) }, func() { last.Store(true) }
	note := func(what string) {
		if err := os.WriteFile(dir+"."+what, nil, 0o600); err != nil {
			panic(err)
		}
		select {} // until the process is killed
	}
	actors.SetTrace(o, func(p actors.Point) {
		switch {
		case p == actors.PointSwept && sweeping.Load():
			note("swept")
		case p == actors.PointHandedOver && last.Load():
			over.Store(true)
			note("owed")
		case p == actors.PointBeforeCommit && over.Load():
			select {}
		}
	})
}

// writeKept fills a directory, ends its process and keeps the files.
func writeKept(t *testing.T, how string) {
	dir := filepath.Join(t.TempDir(), "data")
	h := &keptHouse{t: t, client: &http.Client{Transport: new(http.Transport), Timeout: time.Minute}}
	ingress, admin := freeAddr(t), freeAddr(t)
	h.ingress, h.admin = "http://"+ingress, "http://"+admin
	child := faults.Child("TestFormatChild", 5*time.Minute, envFormatDir+"="+dir, envFormatIngress+"="+ingress, envFormatAdmin+"="+admin)
	child.Stdout, child.Stderr = os.Stderr, os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() })
	h.eventually(func() string { return "the child does not serve" }, func() bool {
		status, _, _ := h.ask("GET", h.ingress+"/restate/health", "")
		return status == http.StatusOK
	})
	k := h.furnish()
	with := syscall.SIGTERM
	if how == "killed" {
		h.leaveAtOnce(dir)
		with = syscall.SIGKILL
	}
	if err := child.Process.Signal(with); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // a killed process reports its death as an error
	if report := examineKept(t, dir); how == "killed" && !report.owed {
		t.Fatal("nothing is owed between keys: write it again")
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(*formatWrite, how+".json"), append(text, '\n'), 0o600)
	}
	if err == nil {
		err = packDir(dir, filepath.Join(*formatWrite, how+".tar.gz"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// furnish asks for all exhibits and brings them to where they shall be found.
func (h *keptHouse) furnish() (k kept) {
	h.t.Helper()
	k.Invocations = map[string]string{}
	for _, e := range exhibits() {
		body, headers := e.body, []string(nil)
		if of, ok := strings.CutPrefix(body, "@"); ok {
			body = fmt.Sprintf("%q", k.Invocations[of])
		}
		if e.idempotent {
			headers = []string{"Idempotency-Key", e.name}
		}
		path := e.path
		if !strings.Contains(path, "/send") {
			path += "/send"
		}
		_, header := h.must(http.StatusAccepted, "POST", h.ingress+path, body, headers...)
		id := header.Get("X-Restate-Id")
		k.Invocations[e.name] = id
		if e.status == "suspended" || e.name == "paused" {
			h.becomes(e.name, id, "suspended")
		}
	}
	h.must(http.StatusOK, "POST", h.ingress+"/Route/b/sign", `"rat"`)
	h.must(http.StatusOK, "PATCH", h.admin+"/invocations/"+k.Invocations["paused"]+"/pause", "")
	h.must(http.StatusAccepted, "POST", h.admin+"/services/Shelf/state", `{"object_key":"held","new_state":{"patched":[34,97,97,97,34]}}`)
	h.must(http.StatusAccepted, "POST", h.ingress+"/restate/signals/"+k.Invocations["held"]+"/untaken/resolve", `"signal"`)
	_, header := h.must(http.StatusAccepted, "POST", h.ingress+"/Brief/m/hold/send", "")
	marked := header.Get("X-Restate-Id")
	h.becomes("marked", marked, "suspended")
	k.Awakeables = h.awakeables()
	h.resolve(k.Awakeables["Brief/m"][0], "marked")
	h.becomes("marked", marked, "")
	h.resolve(k.Awakeables["Shelf/two"][1], "early")
	h.must(http.StatusOK, "POST", h.ingress+"/Shelf/sweep/fill", `{"Names":2000,"Size":300}`)
	for _, e := range exhibits() {
		h.becomes(e.name, k.Invocations[e.name], e.status)
	}
	return k
}

// leaveAtOnce begins a sweep and a send, and waits until the process stands still
// in the middle of both.
func (h *keptHouse) leaveAtOnce(dir string) {
	h.t.Helper()
	h.must(http.StatusAccepted, "POST", h.ingress+"/Shelf/sweep/clear/send", "")
	standing := func(what string) {
		h.eventually(func() string { return what }, func() bool {
			_, err := os.Stat(dir + "." + what)
			return err == nil
		})
	}
	standing("swept")
	h.must(http.StatusAccepted, "POST", h.ingress+"/Shelf/debtor/owe/send", `"creditor"`)
	standing("owed")
}
