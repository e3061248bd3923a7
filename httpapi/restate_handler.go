package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// embedded is a runtime without ports of its own.
type embedded struct {
	rt      *actors.Runtime
	handler http.HandlerFunc
}

// Handler opens the data directory of DORMOUSE_DATA with the services that are
// bound, and returns the ingress for a server of yours. A later call returns the
// same handler. Close ends what it has opened, after your server has ended. The
// admin port is not served: see New for both.
func (r *Restate) Handler() (http.HandlerFunc, error) {
	if r.embedded == nil {
		e, err := openEmbedded(context.Background(), r.Config().withDefaults(), r)
		if err != nil {
			return nil, err
		}
		r.embedded = e
	}
	return r.embedded.handler, nil
}

func openEmbedded(ctx context.Context, c Config, r *Restate) (*embedded, error) {
	store, err := persistence.Open(c.Dir, persistence.Options{Logger: c.Logger})
	if err != nil {
		return nil, fmt.Errorf("open the data directory %s: %w", c.Dir, err)
	}
	c.Runtime.Store, c.Runtime.Services = store, r.services
	rt, err := actors.Open(ctx, c.Runtime)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s, err := New(rt, Options{Logger: c.Logger})
	if err != nil {
		return nil, errors.Join(err, rt.Close())
	}
	return &embedded{rt: rt, handler: s.IngressHandler().ServeHTTP}, nil
}

// Close ends what Handler has opened: handlers that wait are suspended, and go
// on with the next start. It returns what could not be ended in time. It may be
// called more than once, and without Handler.
func (r *Restate) Close() error {
	if r.embedded == nil {
		return nil
	}
	return r.embedded.rt.Close()
}
