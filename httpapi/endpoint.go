package httpapi

import "net"

// endpoint is the URL of the ingress, as it is shown: the address of the options,
// or the one of the open port where the options leave the port to the system or
// name no host.
func (s *Server) endpoint() string {
	address := s.opts.Ingress
	if at := s.listening.Load(); at != nil && unsettled(address) {
		address = at.String()
	}
	return s.opts.Safety.IngressTLS.scheme() + "://" + reachable(address) + "/"
}

// listens notes where the ingress is. What is no TCP, as in tests, has no address
// that would help anybody.
func (s *Server) listens(ingress net.Listener) {
	if at, ok := ingress.Addr().(*net.TCPAddr); ok {
		s.listening.Store(at)
	}
}

// unsettled reports whether an address does not say where its port is reached.
func unsettled(address string) bool {
	host, port, err := net.SplitHostPort(address)
	return err == nil && (port == "0" || unspecified(host))
}

// reachable returns an address that works on this machine.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !unspecified(host) {
		return address
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// unspecified reports whether a host stands for every address of the machine.
func unspecified(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}
