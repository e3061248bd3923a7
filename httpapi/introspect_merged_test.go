package httpapi_test

import (
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestIntrospectionShowsTheIDsThatResolve looks for an awakeable whose id cannot
// be computed in every place that shows one.
func TestIntrospectionShowsTheIDsThatResolve(t *testing.T) {
	t.Parallel()
	notes := ledger(t.TempDir() + "/ledger")
	h := openHouse(t, t.TempDir(), actors.Options{Services: []restate.ServiceDefinition{vault(notes)}}, persistence.Options{})
	news := listen(t, h.client, h.admin, "topics=awakeable")
	id := h.send("/Vault/x/ask", `"gold"`)
	told := notes.await(t, "id", "gold")
	eventually(t, "the handler waits", func() bool { return strings.Contains(h.view(id), `"waits_for"`) })

	if view := h.view(id); !strings.Contains(view, `"awakeable_id":"`+told+`"`) {
		t.Errorf("the invocation waits for %s and is shown as %s", told, view)
	}
	if items := h.listAll("/introspection/awakeables?service=Vault"); len(items) != 1 || items[0]["awakeable_id"] != told || items[0]["invocation_id"] != id {
		t.Errorf("the list of awakeables is %v, and the handler was given %s", items, told)
	} else if items[0]["invocation_id"] != id {
		t.Errorf("the list says that %v waits, and it is %s", items[0]["invocation_id"], id)
	}
	if items := h.listAll("/introspection/invocations?service=Vault"); len(items) != 1 || items[0]["awaiting"] == nil {
		t.Errorf("the list of invocations does not say that the handler waits: %v", items)
	}
	pending := news.until(func(f frame) bool { return f.name == "awakeable.pending" })
	if f := pending[len(pending)-1]; f.field("awakeable_id") != told {
		t.Errorf("the event is %v, and the handler was given %s", f, told)
	}
	want(t, h.resolve(told, `"paid"`), 202, "")
	want(t, h.attach(id), 200, `"paid"`)
}

// TestAQueuedPatchIsShownInItsPlace puts a patch of the state between two
// requests for a key that is held.
func TestAQueuedPatchIsShownInItsPlace(t *testing.T) {
	t.Parallel()
	notes := ledger(t.TempDir() + "/ledger")
	h := openHouse(t, t.TempDir(), actors.Options{Services: deskServices(notes)}, persistence.Options{})
	holder := h.send("/Desk/k/ask", `"first"`)
	awakeable := notes.await(t, "id", "first")
	queued := h.send("/Desk/k/note", "1")
	want(t, ask(h.client, "POST", h.admin+"/services/Desk/state", `{"object_key":"k","new_state":{"n":[55]}}`), 202, "")

	var key struct {
		QueueDepth int `json:"queue_depth"`
		Inbox      []struct{ Kind, ID string }
	}
	h.read("/introspection/objects/Desk/k", &key)
	if key.QueueDepth != 2 || len(key.Inbox) != 2 || key.Inbox[0].ID != queued || key.Inbox[1].Kind != "state_patch" || key.Inbox[1].ID != "" {
		t.Errorf("the queue is %+v, want %s and a patch", key, queued)
	}
	if items := h.listAll("/introspection/invocations?status=pending"); len(items) != 1 || items[0]["id"] != queued {
		t.Errorf("pending are %v, want %s alone", items, queued)
	}
	want(t, h.resolve(awakeable, `"go on"`), 202, "")
	want(t, h.attach(holder), 200, `"go on"`)
	want(t, h.attach(queued), 200, "1")
	eventually(t, "the patch is applied", func() bool {
		var after struct {
			State []struct{ Name string }
		}
		h.read("/introspection/objects/Desk/k", &after)
		return len(after.State) == 1 && after.State[0].Name == "n"
	})
}
