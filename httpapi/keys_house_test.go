package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// page is a page of any list.
type page struct {
	Items      []map[string]any `json:"items"`
	NextCursor *string          `json:"next_cursor"`
	Examined   int              `json:"examined"`
}

// listAll follows the cursors of a list to its end.
func (h *house) listAll(path string) (items []map[string]any) {
	h.t.Helper()
	query := url.Values{}
	for {
		text := path
		if len(query) > 0 {
			text += "&" + query.Encode()
		}
		var p page
		h.read(text, &p)
		items = append(items, p.Items...)
		if p.NextCursor == nil {
			return items
		}
		query.Set("cursor", *p.NextCursor)
	}
}

// read reads an answer of the admin port.
func (h *house) read(path string, into any) {
	h.t.Helper()
	r := ask(h.client, "GET", h.admin+path, "")
	if r.status != http.StatusOK {
		h.t.Fatalf("%s gives %s", path, r)
	}
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		h.t.Fatalf("%s: %v", r, err)
	}
}

// TestWhatIsStuckIsFoundOverHTTP walks through the questions of a person on call,
// on disk and over real ports: which keys are stuck, who holds one and who waits
// behind, which answers are missing, which promises are open.
func TestWhatIsStuckIsFoundOverHTTP(t *testing.T) {
	t.Parallel()
	approve := func(ctx restate.ObjectContext, what string) (string, error) {
		restate.Set(ctx, "what", what)
		return restate.Awakeable[string](ctx).Result()
	}
	o := actors.Options{
		InactivityTimeout: -1,
		Services: []restate.ServiceDefinition{
			restate.NewObject("Approval").Handler("request", restate.NewObjectHandler(approve)), blockAndWait(),
		},
	}
	dir := t.TempDir()
	h := openHouse(t, dir, o, persistence.Options{})
	for i := range 20 {
		h.send(fmt.Sprintf("/Approval/p%02d/request", i), `"a laptop"`)
	}
	for range 3 {
		h.send("/Approval/a%2Fb/request", `"a desk"`)
	}
	h.send("/BlockAndWaitWorkflow/w/run", `"in"`)
	suspended := func() bool { return len(h.listAll("/introspection/objects/Approval?status=suspended&limit=4")) == 21 }
	eventually(t, "21 keys are suspended", suspended)
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	h = openHouse(t, dir, o, persistence.Options{})
	eventually(t, "21 keys are suspended in the next life", suspended)

	deepest := h.listAll("/introspection/objects/Approval?order=queue_depth&limit=2")
	if len(deepest) != 2 || deepest[0]["key"] != "a/b" || deepest[0]["queue_depth"] != 2.0 || deepest[1]["queue_depth"] != 0.0 {
		t.Errorf("the deepest queues are %v", deepest)
	}
	var key struct {
		Status, StateVersion string
		Holder               struct{ ID, Status string }
		Inbox                []struct{ ID, Handler string }
		State                []struct{ Name string }
	}
	h.read("/introspection/objects/Approval/a%2Fb", &key)
	if key.Status != "suspended" || key.Holder.Status != "suspended" || len(key.Inbox) != 2 || key.Inbox[1].Handler != "request" || len(key.State) != 1 {
		t.Errorf("the key is %+v", key)
	}
	behind := h.listAll("/introspection/awakeables?key=a%2Fb&state=awaited")
	if len(behind) != 1 || behind[0]["invocation_id"] != key.Holder.ID || behind[0]["queue_depth"] != 2.0 {
		t.Fatalf("awakeables of the key are %v", behind)
	}
	if all := h.listAll("/introspection/awakeables?service=Approval&limit=3"); len(all) != 21 {
		t.Errorf("%d awakeables", len(all))
	}
	r := h.call("/restate/awakeables/"+behind[0]["awakeable_id"].(string)+"/resolve", `"yes"`)
	if r.status != http.StatusAccepted {
		t.Fatalf("resolve gives %s", r)
	}
	eventually(t, "the next of the queue waits", func() bool {
		next := h.listAll("/introspection/awakeables?key=a%2Fb&state=awaited")
		return len(next) == 1 && next[0]["invocation_id"] == key.Inbox[0].ID && next[0]["queue_depth"] == 1.0
	})
	promises := h.listAll("/introspection/promises?completed=false")
	if len(promises) != 1 || promises[0]["name"] != "durable-promise" || len(promises[0]["waiters"].([]any)) != 1 {
		t.Errorf("open promises are %v", promises)
	}
	if run := ask(h.client, "GET", h.admin+"/introspection/objects/BlockAndWaitWorkflow/w", ""); !strings.Contains(run.body, `"promises":[{"name":"durable-promise","completed":false`) {
		t.Errorf("the workflow is %s", run)
	}
}
