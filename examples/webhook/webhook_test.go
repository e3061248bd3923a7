package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
)

const secret = "test"

func TestMain(m *testing.M) {
	_ = os.Setenv("WEBHOOK_SECRET", secret)
	os.Exit(exampletest.Main(m, main))
}

func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	exampletest.Tell(t)
}

func sign(body, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func deliver(p *exampletest.Program, e Event) exampletest.Answer {
	body, _ := json.Marshal(e)
	return p.Post("/Webhook/receive", string(body), "x-signature", sign(string(body), secret))
}

func TestWhatIsNotSignedGets401AndChangesNothing(t *testing.T) {
	t.Parallel()
	p := exampletest.Start(t, t.TempDir())
	body := `{"id":"evt_1","payment":"p","type":"captured","cents":1}`
	good := sign(body, secret)
	for _, signature := range []string{"", "sha256=", good[len("sha256="):], good[:len(good)-2], good + "00", "sha1=" + good[len("sha256="):], sign(body, "other"), sign(body+" ", secret), "sha256=zz"} {
		exampletest.Want(t, p.Post("/Webhook/receive", body, "x-signature", signature), 401, `{"code":401,...,"source":"invocation"}`)
	}
	exampletest.Want(t, p.Post("/Payment/p/apply", body), 400, `{...,"source":"ingress"}`)
	exampletest.Want(t, p.Post("/Webhook/receive", body, "x-signature", good), 200, `{"payment":"p"}`)
	bad := `{"id":"evt_2","payment":"p","type":"lost"}`
	exampletest.Want(t, p.Post("/Webhook/receive", bad, "x-signature", sign(bad, secret)), 422, "...")
	exampletest.Eventually(t, "the one good event", func() bool {
		return p.Get("/Payment/p/status").Body == `{"captured":1,"refunded":0,"events":["evt_1"]}`
	})
}

// TestAProviderThatRepeatsThroughKillsIsAppliedOnce delivers every event until
// it is acknowledged, some of them twice at once, while the program is killed
// again and again.
func TestAProviderThatRepeatsThroughKillsIsAppliedOnce(t *testing.T) {
	t.Parallel()
	const rounds, width = 3, 8
	dir := t.TempDir()
	p := exampletest.Start(t, dir)
	for round := range rounds {
		answers := make(chan exampletest.Answer, 2*width)
		events := make([]Event, width)
		for i := range events {
			events[i] = Event{ID: fmt.Sprintf("evt_%d_%d", round, i), Payment: "p", Type: typeCaptured, Cents: 1}
			for range 2 {
				go func() { answers <- deliver(p, events[i]) }()
			}
		}
		<-answers // some are acknowledged, some under way, some not begun
		p.Kill()
		for range 2*width - 1 {
			<-answers
		}
		p = exampletest.Start(t, dir)
		for _, e := range events {
			if a := deliver(p, e); a.Status != http.StatusOK {
				t.Errorf("the repetition of %s: %v", e.ID, a)
			}
		}
	}
	var a Account
	exampletest.Eventually(t, "all events", func() bool {
		_ = json.Unmarshal([]byte(p.Get("/Payment/p/status").Body), &a)
		return len(a.Events) >= rounds*width
	})
	if a.Captured != rounds*width || len(a.Events) != rounds*width {
		t.Errorf("%d events add up to %d, want %d", len(a.Events), a.Captured, rounds*width)
	}
}

func TestARepetitionLongAfterTheRetentionChangesNothing(t *testing.T) {
	t.Parallel()
	p := exampletest.Start(t, t.TempDir())
	e := Event{ID: "evt_1", Payment: "p", Type: typeCaptured, Cents: 5}
	deliver(p, e)
	// A purge does what the end of the retention does.
	exampletest.Eventually(t, "the purge", func() bool {
		lookup := exampletest.Do("POST", p.Ingress+"/restate/lookup", `{"target":"idempotentInvocation","service":"Payment","key":"p","handler":"apply","idempotencyKey":"evt_1"}`)
		var id struct{ InvocationID string }
		_ = json.Unmarshal([]byte(lookup.Body), &id)
		return exampletest.Do("PATCH", p.Admin+"/invocations/"+id.InvocationID+"/purge", "").Status == http.StatusOK
	})
	deliver(p, e)
	deliver(p, Event{ID: "evt_2", Payment: "p", Type: typeRefunded, Cents: 2})
	exampletest.Eventually(t, "the second event", func() bool {
		return p.Get("/Payment/p/status").Body == `{"captured":5,"refunded":2,"events":["evt_1","evt_2"]}`
	})
}
