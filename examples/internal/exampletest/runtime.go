package exampletest

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// Open opens a runtime of these services on the data directory dir. Handlers
// that wait are suspended at once, and Close interrupts closures soon. It is
// closed at the end of the test, or before by the test; then the directory can
// be opened again.
func Open(t *testing.T, dir string, services ...restate.ServiceDefinition) *actors.Runtime {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := persistence.Open(dir, persistence.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := actors.Open(t.Context(), actors.Options{
		Store: store, Services: services, Logger: quiet,
		InactivityTimeout: -1, CloseGrace: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	return rt
}

// Serve opens a runtime of these services behind an ingress of its
// own, and returns the URL of that.
func Serve(t *testing.T, services ...restate.ServiceDefinition) (url string) {
	t.Helper()
	server, err := httpapi.New(Open(t, t.TempDir(), services...), httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server.IngressHandler())
	t.Cleanup(front.Close)
	return front.URL
}
