package conformance_test

import (
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestCancellation_cancelFromAdminAPI_CALL(t *testing.T) {
	cancellation(t, services.BlockingCall, cancelFromAdmin)
}

func TestCancellation_cancelFromAdminAPI_SLEEP(t *testing.T) {
	cancellation(t, services.BlockingSleep, cancelFromAdmin)
}

func TestCancellation_cancelFromAdminAPI_AWAKEABLE(t *testing.T) {
	cancellation(t, services.BlockingAwakeable, cancelFromAdmin)
}

func TestCancellation_cancelFromContext_CALL(t *testing.T) {
	cancellation(t, services.BlockingCall, cancelFromContext)
}

func TestCancellation_cancelFromContext_SLEEP(t *testing.T) {
	cancellation(t, services.BlockingSleep, cancelFromContext)
}

func TestCancellation_cancelFromContext_AWAKEABLE(t *testing.T) {
	cancellation(t, services.BlockingAwakeable, cancelFromContext)
}

// cancelFromAdmin cancels over the admin port. The invocation may be over.
func cancelFromAdmin(w *world, id string) {
	w.t.Helper()
	err := ingress.Cancel(w.ctx, w.c, id)
	if answer, ok := err.(ingress.Error); ok && (answer.Code() == 404 || answer.Code() == 409) {
		return
	}
	if err != nil {
		w.t.Fatalf("cancel %s: %v", id, err)
	}
}

// cancelFromContext lets a handler cancel.
func cancelFromContext(w *world, id string) {
	w.t.Helper()
	callService[none](w, "TestUtilsService", "cancelInvocation", id)
}

// cancellation cancels a handler that has called one that blocks. Its caller is
// told, and the key of the one that blocked is free.
func cancellation(t *testing.T, op services.BlockingOperation, cancel func(*world, string)) {
	inModes(t, func(t *testing.T, w *world) {
		const key = "victim"
		sent := send[none](w, "CancelTestRunner", key, "startTest", op, restate.WithIdempotencyKey("start"))
		w.unlock(key)
		w.eventually("the handler blocks", func() bool { return blocks(w, sent.Id(), op) })
		cancel(w, sent.Id())
		cancel(w, sent.Id())
		began := time.Now()
		attach(w, sent)
		if !call[bool](w, "CancelTestRunner", key, "verifyTest", none{}) {
			t.Error("the caller was not told of the cancellation")
		}
		call[none](w, "CancelTestBlockingService", key, "isUnlocked", none{})
		if took := time.Since(began); took > patience/4 {
			t.Errorf("it took %v", took)
		}
		cancel(w, sent.Id()) // it is over
	})
}

// unlock answers the awakeable that is held under a key, as soon as there is one.
func (w *world) unlock(key string) {
	w.t.Helper()
	w.eventually("an awakeable is held", func() bool {
		return call[bool](w, "AwakeableHolder", key, "hasAwakeable", none{})
	})
	call[none](w, "AwakeableHolder", key, "unlock", "go on")
}

// blocks reports whether the handler that an invocation has called is behind
// its unlocking and in its operation.
func blocks(w *world, caller string, op services.BlockingOperation) bool {
	w.t.Helper()
	for _, e := range w.view(caller).Journal.Entries {
		if e.Type != "Call" || e.CalleeID == "" {
			continue
		}
		seen := map[string]int{}
		for _, inner := range w.view(e.CalleeID).Journal.Entries {
			seen[inner.Type]++
		}
		switch op {
		case services.BlockingCall:
			return seen["Call"] == 2 // the first one has held the awakeable
		case services.BlockingSleep:
			return seen["Sleep"] == 1
		default:
			return seen["Signal"] == 1
		}
	}
	return false
}
