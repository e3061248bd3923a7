package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Event is what the provider tells about a payment.
type Event struct {
	ID      string `json:"id"`
	Payment string `json:"payment"`
	Type    string `json:"type"` // captured or refunded
	Cents   int64  `json:"cents"`
}

// Receipt is the answer to an event.
type Receipt struct {
	Payment string `json:"payment"`
}

// webhook makes the service that the provider calls.
type webhook struct{ secret []byte }

// newWebhook returns the service Webhook. What it rejects is not kept, so that
// nobody fills the disk with junk.
func newWebhook(secret []byte) restate.ServiceDefinition {
	w := webhook{secret}
	return restate.NewService("Webhook", restate.WithJournalRetention(0)).
		Handler("receive", restate.NewServiceHandler(w.receive))
}

// receive checks an event and hands it on.
func (w webhook) receive(ctx restate.Context, e Event) (Receipt, error) {
	r := ctx.Request()
	if !w.signed(r.Body, r.Headers.Get("x-signature")) {
		return Receipt{}, restate.ToTerminalError(errors.New("the signature does not fit the body"), restate.WithErrorCode(401))
	}
	if e.ID == "" || e.Payment == "" || e.Type != typeCaptured && e.Type != typeRefunded {
		// The provider has signed it, so it is new to us, not false.
		return Receipt{}, restate.ToTerminalError(errors.New("an event has an id, a payment, and a type that is captured or refunded"), restate.WithErrorCode(422))
	}
	restate.ObjectSend(ctx, "Payment", e.Payment, "apply").Send(e, restate.WithIdempotencyKey(e.ID))
	return Receipt{e.Payment}, nil
}

// signed reports whether the header is sha256= and the HMAC of the body. How
// long it takes tells nothing about how much of it is right.
func (w webhook) signed(body []byte, header string) bool {
	text, ok := strings.CutPrefix(header, "sha256=")
	signature, err := hex.DecodeString(text)
	mac := hmac.New(sha256.New, w.secret)
	mac.Write(body)
	return hmac.Equal(signature, mac.Sum(nil)) && ok && err == nil
}

// retention is how long repetitions of an event meet the invocation of the
// first one: longer than a provider repeats.
const retention = 7 * 24 * time.Hour
