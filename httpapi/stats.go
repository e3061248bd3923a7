package httpapi

import "github.com/prometheus/client_golang/prometheus"

// Stats counts what the ports of a Server have seen since its start, and what
// they have open now.
type Stats struct {
	// Panics counts routes that panicked; each is a bug.
	Panics uint64
	// Unauthorized counts requests without a token that counts, Forbidden
	// those that a page of another origin made, Refused those that came too
	// much.
	Unauthorized, Forbidden, Refused uint64
	// IngressConnections and AdminConnections are open; 0 before Serve.
	IngressConnections, AdminConnections int
	// Evicted counts connections that were closed to make room for others.
	Evicted uint64
	// Requests are being worked on, as far as MaxRequests counts them; 0
	// without that bound.
	Requests int
	// BodyBytes have arrived of bodies that are not complete, in bytes, as far
	// as MaxBodies counts them.
	BodyBytes int64
}

// Stats returns the counts of now. It may be called concurrently.
func (s *Server) Stats() Stats {
	v := Stats{Requests: int(s.slots.taken.Load()), BodyBytes: s.bodies.held.Load()}
	for _, c := range []*counts{&s.counts.ingress, &s.counts.admin} {
		v.Panics += c.panics.Load()
		v.Unauthorized += c.unauthorized.Load()
		v.Forbidden += c.forbidden.Load()
		v.Refused += c.refused.Load()
	}
	if open := s.open.Load(); open != nil {
		var ofIngress, ofAdmin uint64
		v.IngressConnections, ofIngress = open[0].Count()
		v.AdminConnections, ofAdmin = open[1].Count()
		v.Evicted = ofIngress + ofAdmin
	}
	return v
}

// portCollector shows the same numbers as metrics, port by port.
type portCollector struct {
	server                                                     *Server
	panics, refused, connections, evicted, requests, bodyBytes *prometheus.Desc
}

func newPortCollector(s *Server) *portCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("dormouse_http_"+name, help, labels, nil)
	}
	return &portCollector{
		server:      s,
		panics:      desc("panics_total", "Panics of routes, each answered with a 500.", "port"),
		refused:     desc("refused_total", "Requests that were refused before a route: without a token, made by a page of another origin, or too much.", "port", "reason"),
		connections: desc("connections", "Open connections.", "port"),
		evicted:     desc("connections_evicted_total", "Connections that were closed to make room for others.", "port"),
		requests:    desc("requests_bounded", "Requests to the ingress that count against MaxRequests; 0 without that bound."),
		bodyBytes:   desc("body_bytes", "Bytes that have arrived of bodies that are not complete, as far as MaxBodies counts them."),
	}
}

// Describe implements prometheus.Collector.
func (c *portCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.panics, c.refused, c.connections, c.evicted, c.requests, c.bodyBytes} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *portCollector) Collect(to chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	s := c.server
	gauge(c.requests, float64(s.slots.taken.Load()))
	gauge(c.bodyBytes, float64(s.bodies.held.Load()))
	connections := s.open.Load()
	for i, counts := range []*counts{&s.counts.ingress, &s.counts.admin} {
		port := portNames()[i]
		count(c.panics, counts.panics.Load(), port)
		count(c.refused, counts.unauthorized.Load(), port, "unauthorized")
		count(c.refused, counts.forbidden.Load(), port, "forbidden")
		count(c.refused, counts.refused.Load(), port, "overload")
		open, evicted := 0, uint64(0)
		if connections != nil {
			open, evicted = connections[i].Count()
		}
		gauge(c.connections, float64(open), port)
		count(c.evicted, evicted, port)
	}
}

// portNames are the names of the ports, in the order in which they are kept.
func portNames() [2]string { return [2]string{"ingress", "admin"} }
