package httpapi

import (
	"net/http"

	"github.com/dormouse-run/dormouse/actors"
)

// Mount is what Run hands to Config.Mount: the runtime, and what the two ports
// serve. The function may keep the runtime, and may replace the handlers, by ones
// that serve paths of the program, or do something about every request, and
// leave the rest to the handler that was there.
//
// A path of the ingress may have an empty segment, which is a key, and
// http.ServeMux would redirect it. So look for paths of your own, and hand over
// every other request as it came.
//
// What a program serves itself is not logged, counted or given a request id
// here. A handler in front of Ingress or Admin answers for everything behind it,
// also for who may pass.
type Mount struct {
	// Runtime is open, and closed when Run returns. Its Client reaches handlers
	// in process.
	Runtime *actors.Runtime
	// Ingress and Admin are the two ports. A nil one is as it was.
	Ingress, Admin http.Handler
}

// mount lets the program put handlers in front of the ports.
func (s *Server) mount(rt *actors.Runtime, fn func(*Mount) error) error {
	if fn == nil {
		return nil
	}
	m := &Mount{Runtime: rt, Ingress: s.front.ingress, Admin: s.front.admin}
	if err := fn(m); err != nil {
		return err
	}
	if m.Ingress != nil {
		s.front.ingress = m.Ingress
	}
	if m.Admin != nil {
		s.front.admin = m.Admin
	}
	return nil
}
