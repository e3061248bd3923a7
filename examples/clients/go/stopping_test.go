package client

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	"github.com/dormouse-run/dormouse/examples/testservices/services"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/restatedev/sdk-go/ingress"
)

func TestARuntimeThatStopsMayBeAskedAgain(t *testing.T) {
	t.Parallel()
	rt := exampletest.Open(t, t.TempDir(), services.Definitions()...)
	server, err := httpapi.New(rt, httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
	front := httptest.NewServer(must(t, server, err).IngressHandler())
	t.Cleanup(front.Close)
	if err := rt.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := ingress.NewClient(front.URL)
	_, err = ingress.Service[string, string](c, "TestUtilsService", "echo").Request(t.Context(), "x")
	fails(t, err, 503, false)
	_, err = ingress.ServiceSend[string](c, "TestUtilsService", "echo").Send(t.Context(), "x")
	fails(t, err, 503, false)
}
