package httpapi

import (
	"context"
	"net"
)

// ServeOn is Serve on ports that the caller has opened, of any kind; it closes
// them. The addresses of Options are not used, except that an ingress with a host
// and a port is what the version route and OpenAPI documents name. It may be
// called once, instead of Serve.
func (s *Server) ServeOn(ctx context.Context, ingress, admin net.Listener) error {
	return s.serve(ctx, listeners{ingress: ingress, admin: admin})
}
