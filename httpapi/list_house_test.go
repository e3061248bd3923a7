package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// listPage is an answer of the list of invocations.
type listPage struct {
	Items []struct {
		ID       string `json:"id"`
		Key      string `json:"key"`
		Status   string `json:"status"`
		Position int    `json:"queue_position"`
	} `json:"items"`
	Next     *string `json:"next_cursor"`
	Examined int     `json:"examined"`
}

// list asks for one page.
func (h *house) list(parameters string) (page listPage) {
	h.t.Helper()
	r := ask(h.client, "GET", h.admin+"/introspection/invocations?"+parameters, "")
	if r.status != http.StatusOK {
		h.t.Fatalf("list %s: %v", parameters, r)
	}
	if err := json.Unmarshal([]byte(r.body), &page); err != nil {
		h.t.Fatalf("list %s: %v in %s", parameters, err, r.body)
	}
	return page
}

func desks() []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		restate.NewObject("Desk").
			Handler("wait", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
				return restate.Awakeable[string](ctx).Result()
			})).
			Handler("add", restate.NewObjectHandler(func(_ restate.ObjectContext, n int) (int, error) { return n, nil })),
	}
}

// TestTheListOfInvocationsOverHTTP asks for lists of every kind while handlers
// wait on disk, in memory and in a queue, and again after a restart.
func TestTheListOfInvocationsOverHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openHouse(t, dir, actors.Options{Services: desks(), InactivityTimeout: -1}, persistence.Options{})
	waiting := h.send("/Desk/a/wait", "")
	eventually(t, "it is suspended", func() bool { return len(h.list("status=suspended").Items) == 1 })
	first, second := h.send("/Desk/a/add", "1"), h.send("/Desk/a/add", "2")
	want(t, h.call("/Desk/b/add", "3", "idempotency-key", "once"), 200, "3")
	want(t, h.call("/Desk/b/add", "4"), 200, "4")
	delayed := h.call("/Desk/c/add/send?delay=1h", "5").header.Get("X-Restate-Id")
	check := func() {
		t.Helper()
		for parameters, ids := range map[string][]string{
			"key=a&order=oldest":                          {waiting, first, second},
			"key=a&status=pending":                        {second, first},
			"status=suspended&status=scheduled":           {delayed, waiting},
			"status=scheduled&service=Desk":               {delayed},
			"status=paused":                               {},
			"status=running":                              {},
			"service=Nobody":                              {},
			"service=Desk&handler=wait":                   {waiting},
			"key=":                                        {},
			"status=completed&handler=add&limit=1&key=zz": {},
			"created_before=2020-01-01T00:00:00Z":         {},
		} {
			page := h.list(parameters)
			var got []string
			for _, item := range page.Items {
				got = append(got, item.ID)
			}
			if fmt.Sprint(got) != fmt.Sprint(ids) || page.Next != nil {
				t.Errorf("%s: got %v, want %v", parameters, got, ids)
			}
		}
		if page := h.list("service=Desk&handler=add&key=b&idempotency_key=once"); len(page.Items) != 1 || page.Examined > 4 {
			t.Errorf("by idempotency key: %+v", page)
		}
		if page := h.list("key=a&status=pending&order=oldest"); page.Items[0].Position != 1 || page.Items[1].Position != 2 {
			t.Errorf("places: %+v", page.Items)
		}
	}
	check()
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	h = openHouse(t, dir, actors.Options{Services: desks(), InactivityTimeout: -1}, persistence.Options{})
	check()
	next := *h.list("limit=2").Next
	want(t, ask(h.client, "GET", h.admin+"/introspection/invocations?status=paused&cursor="+next, ""), 400, "another question")
	want(t, ask(h.client, "GET", h.admin+"/introspection/invocations?cursor=abc", ""), 400, "next_cursor")
}

// TestPagingOverHTTPSeesEverythingThatStaysOnce pages through all invocations
// while others come, end and are purged.
func TestPagingOverHTTPSeesEverythingThatStaysOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, t.TempDir(), actors.Options{Services: desks(), InactivityTimeout: -1}, persistence.Options{})
	stay := map[string]int{}
	for i := range 60 {
		stay[h.send(fmt.Sprintf("/Desk/stay-%d/wait", i), "")] = 0
	}
	// What changes its status between two pages may be missing.
	eventually(t, "all are suspended", func() bool { return len(h.list("limit=100&status=suspended").Items) == len(stay) })
	var stop atomic.Bool
	busy := make(chan struct{})
	go func() {
		defer close(busy)
		for i := 0; !stop.Load(); i++ {
			id := h.call(fmt.Sprintf("/Desk/come-%d/add", i%7), "1").header.Get("X-Restate-Id")
			ask(h.client, "PATCH", h.admin+"/invocations/"+id+"/purge", "")
		}
	}()
	for _, parameters := range []string{"limit=7", "limit=7&order=oldest", "limit=3&service=Desk&handler=wait", "limit=11&status=suspended&status=running&status=ready"} {
		seen := map[string]int{}
		for cursor := ""; ; {
			page := h.list(parameters + cursor)
			for _, item := range page.Items {
				seen[item.ID]++
			}
			if page.Next == nil {
				break
			}
			cursor = "&cursor=" + url.QueryEscape(*page.Next)
		}
		for id := range stay {
			if seen[id] != 1 {
				t.Errorf("%s: %s was seen %d times", parameters, id, seen[id])
			}
		}
		for id, n := range seen {
			if n > 1 {
				t.Errorf("%s: %s was seen %d times", parameters, id, n)
			}
		}
	}
	stop.Store(true)
	select {
	case <-busy:
	case <-time.After(patience):
		t.Fatal("the calls do not end")
	}
}
