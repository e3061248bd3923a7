package server

import "github.com/dormouse-run/dormouse/httpapi"

// Restate binds definitions and serves them. See httpapi.Restate.
type Restate = httpapi.Restate

// NewRestate returns a server without services.
func NewRestate() *Restate { return httpapi.NewRestate() }
