package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
)

// openHouseWith is openHouse in memory, with another time for the departure of
// what is sent.
func openHouseWith(t *testing.T, o actors.Options, transfer time.Duration) *house {
	t.Helper()
	rt, err := actors.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	server, err := httpapi.New(rt, httpapi.Options{
		Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler),
		TransferTimeout: transfer, Ready: func(a httpapi.Addresses) { ready <- a },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- server.Serve(ctx) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	h := &house{t: t, rt: rt, client: &http.Client{Transport: transport, Timeout: 2 * patience}}
	t.Cleanup(func() {
		stop()
		transport.CloseIdleConnections()
		if err := errors.Join(<-ended, rt.Close()); err != nil {
			t.Error(err)
		}
	})
	at := <-ready
	h.ingress, h.admin = "http://"+at.Ingress, "http://"+at.Admin
	return h
}
