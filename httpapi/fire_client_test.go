package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// callers is how many requests there are with one idempotency key.
const callers = 20

// blaze is the world of the clients: where the server is now, and what all keys
// have in common.
type blaze struct {
	// base is the URL of the ingress of the present life.
	base atomic.Pointer[string]
	http *http.Client
	note ledger
	// answered counts callers that have their answer, repeats what was asked
	// again because a connection was lost, refused what was turned down.
	answered, repeats, refused atomic.Int64

	// failed is the first complaint: then nobody goes on.
	failed atomic.Pointer[string]
}

// heat is one idempotency key and what its callers know.
type heat struct {
	*blaze
	// name is the idempotency key, object the key of the object, empty for a
	// service.
	name, object string
	// id is what the id has to be.
	id string

	mu sync.Mutex
	// stored is true once somebody was told that the key is known.
	stored bool
	// answer is what the first caller was answered.
	answer string
}

func newHeat(b *blaze, name, object string) *heat {
	t := ident.Target{Service: "Spark", Handler: "burn", Kind: ident.KindService}
	if object != "" {
		t = ident.Target{Service: "Fire", Key: object, Handler: "burn", Kind: ident.KindExclusive}
	}
	return &heat{blaze: b, name: name, object: object, id: ident.IdempotentID(t, name).String()}
}

// path is that of the handler, without a slash in front.
func (h *heat) path() string {
	if h.object == "" {
		return "Spark/burn"
	}
	return "Fire/" + h.object + "/burn"
}

// all lets every caller ask at once, and waits for all answers.
func (h *heat) all() {
	var wait sync.WaitGroup
	for caller := range callers {
		wait.Go(func() {
			h.ask(caller)
			h.answered.Add(1)
		})
	}
	wait.Wait()
}

// ask is one caller, in one of the ways that lead to the result.
func (h *heat) ask(caller int) {
	body := fmt.Sprintf(`{"Name":%q,"Caller":%d}`, h.name, caller)
	target := fmt.Sprintf(`{"target":"idempotentInvocation","service":"Spark","handler":"burn","idempotencyKey":%q}`, h.name)
	if h.object != "" {
		target = fmt.Sprintf(`{"target":"idempotentInvocation","service":"Fire","key":%q,"handler":"burn","idempotencyKey":%q}`, h.object, h.name)
	}
	switch {
	case caller < 8:
		h.result("POST", h.path(), body)
	case caller < 12:
		h.send(body)
		h.result("GET", "restate/attach/"+h.id, "")
	case caller < 15:
		h.send(body)
		h.result("GET", "restate/invocation/"+h.path()+"/"+h.name+"/attach", "")
	case caller < 17:
		h.result("POST", "restate/attach", target)
	case caller < 19:
		h.result("GET", "restate/invocation/"+h.path()+"/"+h.name+"/attach", "")
	default:
		h.result("GET", "restate/invocation/"+h.id+"/output", "")
	}
}

func (h *heat) send(body string) {
	r, ok := h.until("POST", h.path()+"/send", body, http.StatusAccepted)
	if !ok {
		return
	}
	var sent struct{ InvocationID, Status string }
	if err := json.Unmarshal([]byte(r.body), &sent); err != nil || sent.InvocationID != h.id || !strings.HasSuffix(sent.Status, "Accepted") {
		h.complain("a send was answered %v", r)
	}
}

// result asks for the result and compares it with what others were told.
func (h *heat) result(method, path, body string) {
	r, ok := h.until(method, path, body, http.StatusOK)
	if !ok {
		return
	}
	if id := r.header.Get("X-Restate-Id"); id != h.id {
		h.complain("the id is %q, want %s", id, h.id)
	}
	if first := h.first(r.body); first != r.body {
		h.complain("%s %s is answered %s, and others %s", method, path, r.body, first)
	}
}

// first returns what the first caller was answered, which is answer when there was
// none before.
func (h *heat) first(answer string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answer == "" {
		h.answer = answer
		// Nobody else has been told here: what is burnt behind this line was
		// burnt again.
		if err := h.note.write("fire answered", h.name); err != nil {
			h.complain("%v", err)
		}
	}
	return h.answer
}

// until repeats a request until it has the status, through lost connections,
// refusals, and what only says that it is too early. It returns anything else at
// once, as a complaint.
func (h *heat) until(method, path, body string, status int) (r reply, ok bool) {
	for late := time.Now().Add(patience); time.Now().Before(late); {
		if h.failed.Load() != nil {
			return r, false
		}
		h.mu.Lock()
		known := h.stored
		h.mu.Unlock()
		r = ask(h.http, method, *h.base.Load()+"/"+path, body, h.headers(method, path)...)
		switch {
		case r.status == status:
			h.mu.Lock()
			h.stored = true
			h.mu.Unlock()
			return r, true
		case r.status == 0:
			h.repeats.Add(1)
		case r.status == 503 && r.header.Get("X-Restate-Error-Source") == "ingress":
			h.refused.Add(1)
		case r.status == 404 && !known, r.status == 470 && strings.HasSuffix(path, "/output"):
		default:
			h.complain("%s %s is answered %v (known before: %v)", method, path, r, known)
			return r, false
		}
		<-time.After(3 * time.Millisecond)
	}
	h.complain("%s %s: no answer, at last %v", method, path, r)
	return r, false
}

// headers of a request: only what invokes has the key.
func (h *heat) headers(method, path string) []string {
	if method != http.MethodPost || strings.HasPrefix(path, "restate/") {
		return nil
	}
	return []string{"Idempotency-Key", h.name}
}

func (h *heat) complain(format string, a ...any) {
	text := h.name + " on " + h.path() + ": " + fmt.Sprintf(format, a...)
	h.failed.CompareAndSwap(nil, &text)
}
