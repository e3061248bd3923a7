package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/testservices/services"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/persistence"
)

// control is the program under the hand of a client in another language, which
// asks for a kill or for refusals over HTTP:
//
//	POST /kill          kills the program and returns when the next one serves
//	POST /refuse?n=2    returns a URL that refuses two requests and then serves
type control struct {
	t     *testing.T
	dir   string
	flags []string
	// ingress and admin are URLs, the same for every life of the program.
	ingress, admin string
	// stopping is an ingress whose runtime refuses everything, as one that stops
	// does.
	stopping http.Handler

	mu      sync.Mutex
	cmd     *exec.Cmd
	kills   int
	refused atomic.Int64
}

// startControl starts the program with further flags, and the server of its
// control, whose URL it returns.
func startControl(t *testing.T, flags ...string) (*control, string) {
	t.Helper()
	c := &control{t: t, dir: t.TempDir(), flags: flags, stopping: drained(t)}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end() })
	routes := http.NewServeMux()
	routes.HandleFunc("POST /kill", c.kill)
	routes.HandleFunc("POST /refuse", c.refuse)
	server := httptest.NewServer(routes)
	t.Cleanup(server.Close)
	return c, server.URL
}

// drained is the ingress of a runtime that has been drained.
func drained(t *testing.T) http.Handler {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	rt, err := actors.Open(t.Context(), actors.Options{Store: persistence.NewMemory(), Services: services.Definitions(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	server, err := httpapi.New(rt, httpapi.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	return server.IngressHandler()
}

// start starts the program where it was before, at first on free ports.
func (c *control) start() error {
	flags := c.flags
	if c.ingress != "" {
		flags = append(flags[:len(flags):len(flags)], "-ingress", c.ingress[len("http://"):], "-admin", c.admin[len("http://"):])
	}
	c.cmd = command(c.dir, flags...)
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	serving := regexp.MustCompile(`serving ingress=(\S+) admin=(\S+)`)
	said := ""
	for lines := bufio.NewScanner(log); lines.Scan(); said += lines.Text() + "\n" {
		if at := serving.FindStringSubmatch(lines.Text()); at != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			c.ingress, c.admin = "http://"+at[1], "http://"+at[2]
			return nil
		}
	}
	return errors.Join(fmt.Errorf("the program ended before it served:\n%s", said), c.cmd.Wait())
}

// end kills the program as a power cut would.
func (c *control) end() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func (c *control) kill(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
	c.kills++
	if err := c.start(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (c *control) refuse(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.FormValue("n"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to, err := url.Parse(c.ingress)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var left atomic.Int64
	left.Store(n)
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if left.Add(-1) >= 0 {
			c.refused.Add(1)
			c.stopping.ServeHTTP(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	c.t.Cleanup(front.Close)
	_, _ = io.WriteString(w, front.URL)
}
