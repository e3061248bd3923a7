package httpapi_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestOneKeyDoesOneThingAtATimeInTheOrderOfArrival lets a call wait for an
// answer, and a thousand more wait for that call.
func TestOneKeyDoesOneThingAtATimeInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	const queued = 1000
	dir := t.TempDir()
	l := ledger(filepath.Join(dir, "ledger"))
	h := openHouse(t, filepath.Join(dir, "data"), actors.Options{Services: deskServices(l)}, persistence.Options{})
	first := h.later("/Desk/x/ask", `"first"`)
	awakeable := l.await(t, "id", "first")
	second := h.later("/Desk/x/ask", `"second"`, "Idempotency-Key", "second")
	h.untilQueued("/Desk/x/ask", "second")
	var calls []<-chan reply
	for n := range queued {
		key := "n" + strconv.Itoa(n)
		calls = append(calls, h.later("/Desk/x/note", strconv.Itoa(n), "Idempotency-Key", key))
		h.untilQueued("/Desk/x/note", key)
	}
	want(t, h.call("/Desk/x/peek", ""), 200, "peeked")
	want(t, h.call("/Desk/y/note", "-1"), 200, "-1")
	if got := fmt.Sprint(l.lines("start"), l.lines("note")); got != "[first] [-1]" {
		t.Fatalf("while the first call waits, this has started: %s", got)
	}
	want(t, h.resolve(awakeable, `"yes"`), 202, "")
	want(t, receive(t, first), 200, `"yes"`)
	want(t, h.resolve(l.await(t, "id", "second"), `"no"`), 202, "")
	want(t, receive(t, second), 200, `"no"`)
	for n, call := range calls {
		want(t, receive(t, call), 200, strconv.Itoa(n))
	}
	for n, line := range l.lines("note")[1:] {
		if line != strconv.Itoa(n) {
			t.Fatalf("call %s was number %d", line, n)
		}
	}
}

// untilQueued waits until a call with an idempotency key has been accepted.
func (h *house) untilQueued(path, key string) {
	h.t.Helper()
	eventually(h.t, "acceptance of "+path, func() bool {
		return ask(h.client, "GET", h.ingress+"/restate/invocation"+path+"/"+key+"/output", "").status == 470
	})
}
