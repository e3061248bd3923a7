package httpapi

import (
	"slices"

	"github.com/dormouse-run/dormouse/objects"
)

// Services returns what was bound, in this order. The slice is the caller's.
func (r *Restate) Services() []objects.ServiceDefinition { return slices.Clone(r.services) }

// Config returns what Start runs with, except the services: the data directory
// and the addresses of the environment, and what WithLogger was given.
func (r *Restate) Config() Config {
	c := envConfig()
	c.Logger, c.Runtime.LogReplay = r.logger, r.logReplay
	return c
}
