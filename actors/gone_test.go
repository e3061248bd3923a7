package actors_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

// goneStore is a store whose directory may be taken away.
type goneStore struct {
	persistence.Store
	gone atomic.Bool
}

func (s *goneStore) Health() persistence.Health {
	if !s.gone.Load() {
		return s.Store.Health()
	}
	return persistence.Health{Pressure: persistence.PressureHard, Lost: fmt.Errorf("OWNER is gone: %w", persistence.ErrDeposed)}
}

// TestADirectoryThatIsGoneEndsTheRuntime takes the data away from a runtime: it ends with
// an error that says why, instead of refusing what it is asked for as if it were short of
// space. It need not have anything to write.
func TestADirectoryThatIsGoneEndsTheRuntime(t *testing.T) {
	t.Parallel()
	notices := map[string]func(t *testing.T, rt *actors.Runtime){
		"a request": func(t *testing.T, rt *actors.Runtime) {
			_, err := ingress.Object[int, int](rt.Client(), "Shop", "ann", "Buy").Request(t.Context(), 1)
			if !errors.Is(err, actors.ErrStopped) {
				t.Errorf("the request ends with %v", err)
			}
		},
		"a minute at rest": func(*testing.T, *actors.Runtime) { <-time.After(time.Minute) },
	}
	for what, notice := range notices {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &goneStore{Store: persistence.NewMemory()}
				rt, err := actors.Open(t.Context(), actors.Options{Store: store, Services: []restate.ServiceDefinition{restate.Reflect(Shop{})}})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				store.gone.Store(true)
				notice(t, rt)
				synctest.Wait()
				select {
				case <-rt.Done():
				default:
					t.Error("it goes on")
				}
				if err := rt.Err(); !errors.Is(err, persistence.ErrDeposed) {
					t.Errorf("it has ended with %v", err)
				}
				_ = rt.Close() // it has failed
			})
		})
	}
}
