package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dormouse-run/dormouse/objects"
)

// Restate is the server type of Restate's Go SDK: bind definitions, then start.
// It is not for concurrent use before Start.
type Restate struct {
	services  []objects.ServiceDefinition
	names     map[string]bool
	logger    *slog.Logger
	logReplay bool
	// embedded is what Handler has opened, nil before.
	embedded *embedded
}

// NewRestate returns a server without services.
func NewRestate() *Restate { return &Restate{names: map[string]bool{}} }

// Bind adds a definition and returns r. It panics on one that cannot work, and
// when one with the same name is bound already.
func (r *Restate) Bind(definition objects.ServiceDefinition) *Restate {
	if err := objects.Validate(definition); err != nil {
		panic("httpapi: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if r.embedded != nil {
		panic(fmt.Sprintf("httpapi: service %q is bound after Handler has opened the runtime: bind it before", definition.Name()))
	}
	name := definition.Name()
	if r.names[name] {
		panic(fmt.Sprintf("httpapi: service %q is bound twice: rename one of the two", name))
	}
	r.names[name] = true
	r.services = append(r.services, definition)
	return r
}

// WithLogger sends everything to h and returns r. Without dropReplayLogs,
// handlers log again what they logged before a restart.
func (r *Restate) WithLogger(h slog.Handler, dropReplayLogs bool) *Restate {
	r.logger, r.logReplay = slog.New(h), !dropReplayLogs
	return r
}

// Start is Run with the data directory and the addresses of the environment:
// DORMOUSE_DATA, DORMOUSE_INGRESS and DORMOUSE_ADMIN. In Restate the address
// is that of the handlers' own endpoint; handlers are embedded here, so there
// is none, and it is not used.
func (r *Restate) Start(ctx context.Context, _ string) error {
	if r.embedded != nil {
		return errors.New("start: Handler has opened this runtime already: serve its handler, or use another Restate")
	}
	return Run(ctx, r.Config(), r.services...)
}
