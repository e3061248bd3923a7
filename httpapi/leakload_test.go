package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soakKeys is how many keys have state.
const soakKeys = 40

// soaker does one thing after another.
type soaker struct {
	t     *testing.T
	h     *house
	steps atomic.Int64
}

func newSoaker(t *testing.T, h *house) *soaker { return &soaker{t: t, h: h} }

// start begins to work. stop waits until all steps have ended.
func (s *soaker) start() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	all := []func(int){s.state, s.idempotent, s.awakeable, s.nap, s.cancelled, s.killed, s.signalled, s.workflow, s.between, s.paused,
		s.delayed, s.patched, s.large, s.streamed, s.listed, s.remade, s.sealed, s.left}
	wg.Go(func() {
		tick := time.NewTicker(time.Second / leakRate)
		defer tick.Stop()
		places := make(chan struct{}, 16)
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				all[n%len(all)](n)
				s.steps.Add(1)
			})
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// ask expects one of some answers.
func (s *soaker) ask(method, url, body string, headers []string, want ...int) reply {
	r := ask(s.h.client, method, url, body, headers...)
	if !slices.Contains(want, r.status) {
		s.t.Errorf("%s %s: got %.300s, want %v", method, url, r, want)
	}
	return r
}

func (s *soaker) call(path, body string) reply {
	return s.ask("POST", s.h.ingress+path, body, nil, 200)
}

// send returns the id of what was accepted.
func (s *soaker) send(path, body string, headers ...string) string {
	return s.ask("POST", s.h.ingress+path, body, headers, 202, 200).header.Get("X-Restate-Id")
}

// attach waits for a result, which may have been removed meanwhile.
func (s *soaker) attach(id string, ok int) {
	s.ask("GET", s.h.ingress+"/restate/attach/"+id, "", nil, ok, 404)
}

func (s *soaker) operate(id, operation string, ok ...int) {
	s.ask("PATCH", s.h.admin+"/invocations/"+id+"/"+operation, "", nil, ok...)
}

func (s *soaker) resolve(id string) {
	s.ask("POST", s.h.ingress+"/restate/awakeables/"+firstAwakeable(s.t, id)+"/resolve", `"yes"`, nil, 202)
}

// until waits until something holds. It is called by goroutines of the load.
func (s *soaker) until(what string, holds func() bool) {
	for deadline := time.Now().Add(patience); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Errorf("in vain: %s", what)
			return
		}
	}
}

func (s *soaker) state(n int) {
	path := fmt.Sprintf("/Soak/s%d/", n%soakKeys)
	s.call(path+"add", "1")
	s.call(path+"peek", "")
}

func (s *soaker) idempotent(n int) {
	for _, path := range []string{fmt.Sprintf("/Soak/i%d/stumble", n), "/Plain/echo"} {
		key := []string{"Idempotency-Key", fmt.Sprint("key", n)}
		s.ask("POST", s.h.ingress+path, bodyOf(path), key, 200)
		s.ask("POST", s.h.ingress+path, bodyOf(path), key, 200)
	}
}

// bodyOf is what a handler of idempotent takes.
func bodyOf(path string) string {
	if path == "/Plain/echo" {
		return `"x"`
	}
	return ""
}

func (s *soaker) awakeable(n int) {
	for _, service := range []string{"Soak", "Daily", "Gone"} {
		path := fmt.Sprintf("/%s/a%d/hold/send", service, n)
		first, second := s.send(path, ""), s.send(path, "")
		s.resolve(second)
		s.resolve(first)
		s.attach(second, 200)
	}
}

func (s *soaker) nap(n int) { s.call(fmt.Sprintf("/Soak/n%d/nap", n), "") }

func (s *soaker) cancelled(n int) {
	id := s.send(fmt.Sprintf("/Soak/c%d/hold/send", n), "")
	s.operate(id, "cancel", 202)
	s.attach(id, 409)
}

func (s *soaker) killed(n int) {
	path := fmt.Sprintf("/Soak/k%d/hold/send", n)
	first, second := s.send(path, ""), s.send(path, "")
	s.operate(first, "kill", 200, 202)
	s.attach(first, 409)
	s.operate(second, "kill", 200, 202)
	s.attach(second, 409)
	s.operate(second, "purge", 200, 404)
}

func (s *soaker) signalled(n int) {
	id := s.send(fmt.Sprintf("/Soak/g%d/signal/send", n), "")
	for range 3 {
		s.ask("POST", s.h.ingress+"/restate/signals/"+id+"/go/resolve", `"x"`, nil, 202, 404)
	}
	s.attach(id, 200)
}

func (s *soaker) workflow(n int) {
	path := fmt.Sprintf("/Flow/w%d/", n)
	s.send(path+"run/send", `"x"`)
	look := s.send(path+"look/send", "")
	s.call(path+"sign", `"y"`)
	s.attach(look, 200)
	s.ask("GET", fmt.Sprintf("%s/restate/workflow/Flow/w%d/attach", s.h.ingress, n), "", nil, 200, 404)
	s.send(fmt.Sprintf("/Flow/never%d/sign/send", n), `"z"`)
}

func (s *soaker) between(n int) {
	s.call(fmt.Sprintf("/Soak/b%d/ask", n), fmt.Sprintf(`"called%d"`, n))
}

func (s *soaker) paused(n int) {
	id := s.send(fmt.Sprintf("/Soak/p%d/hold/send", n), "")
	s.operate(id, "pause", 200, 202)
	s.until("a pause", func() bool {
		var v struct{ Status string }
		return json.Unmarshal([]byte(s.h.view(id)), &v) == nil && v.Status == "paused"
	})
	s.operate(id, "resume", 200)
	s.resolve(id)
	s.attach(id, 200)
}

func (s *soaker) delayed(n int) {
	id := s.send(fmt.Sprintf("/Soak/d%d/stumble/send?delay=2m", n), "")
	s.attach(id, 200)
}

func (s *soaker) patched(n int) {
	body := fmt.Sprintf(`{"object_key":"s%d","new_state":{"n":[49],"m":[50]}}`, n%soakKeys)
	s.ask("POST", s.h.admin+"/services/Soak/state", body, nil, 202)
}

func (s *soaker) large(n int) {
	path := fmt.Sprintf("/Soak/l%d/", n)
	s.call(path+"large", `"x"`)
	s.call(path+"clear", "")
}

// streamed reads a little of the events and leaves.
func (s *soaker) streamed(n int) {
	ctx, leave := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "GET", s.h.admin+"/introspection/events", nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	resp, err := s.h.client.Do(r)
	if err != nil {
		return // there are as many as there may be, or the time is over
	}
	defer func() { _ = resp.Body.Close() }()
	s.send(fmt.Sprintf("/Soak/e%d/stumble/send", n), "")
	lines := bufio.NewScanner(resp.Body)
	for range 10 {
		lines.Scan()
	}
}

func (s *soaker) listed(int) {
	for _, path := range []string{"/introspection/invocations?limit=20", "/introspection/objects/Soak?limit=20", "/introspection/awakeables?limit=20",
		"/introspection/promises?limit=20", "/metrics", "/services", "/services/Soak/openapi"} {
		s.ask("GET", s.h.admin+path, "", nil, 200)
	}
}

func (s *soaker) remade(n int) {
	r := s.call(fmt.Sprintf("/Soak/r%d/stumble", n), "")
	id := r.header.Get("X-Restate-Id")
	s.ask("GET", s.h.admin+"/introspection/invocations/"+id+"?export=true", "", nil, 200, 404)
	s.operate(id, "restart-as-new", 200, 201, 202, 404, 409, 410)
	s.operate(id, "purge-journal", 200, 404)
	s.operate(id, "purge", 200, 404)
}

// sealed answers an awakeable whose id has to be looked up.
func (s *soaker) sealed(n int) {
	id := s.send(fmt.Sprintf("/Sealed/u%d/hold/send", n), "")
	var page struct {
		Items []struct {
			ID string `json:"awakeable_id"`
		}
	}
	s.until("an awakeable", func() bool {
		r := s.ask("GET", fmt.Sprintf("%s/introspection/awakeables?service=Sealed&key=u%d", s.h.admin, n), "", nil, 200)
		return json.Unmarshal([]byte(r.body), &page) == nil && len(page.Items) > 0
	})
	if len(page.Items) == 0 {
		return
	}
	s.ask("POST", s.h.ingress+"/restate/awakeables/"+page.Items[0].ID+"/resolve", `"yes"`, nil, 202)
	s.attach(id, 200)
}

// left asks and does not wait for the answer.
func (s *soaker) left(n int) {
	ctx, leave := context.WithTimeout(s.t.Context(), 5*time.Millisecond)
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "POST", s.h.ingress+fmt.Sprintf("/Soak/x%d/nap", n), nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	if resp, err := s.h.client.Do(r); err == nil {
		_ = resp.Body.Close()
	}
}

// clearState takes away what nothing else would.
func (s *soaker) clearState() {
	for n := range soakKeys {
		s.call(fmt.Sprintf("/Soak/s%d/clear", n), "")
	}
}
