package exampletest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
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
		InactivityTimeout: -1, CloseGrace: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	return rt
}
