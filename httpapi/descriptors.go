package httpapi

import (
	"log/slog"
	"math"
)

const (
	// lowDescriptors is the limit below which the log warns: the store alone
	// keeps some hundred files open.
	lowDescriptors = 4096
	// adminConnections bounds the connections of the admin port, which has room
	// of its own: it is needed most when the ingress is full.
	adminConnections = 256
)

// room says how many connections each port may have open.
type room struct{ ingress, admin int }

// roomFor divides a limit of descriptors: a quarter stays for the store and the
// program. A limit of 0 is not known, and bounds nothing.
func roomFor(descriptors uint64) room {
	if descriptors == 0 || descriptors > math.MaxInt32 {
		return room{admin: adminConnections}
	}
	d := int(descriptors)
	admin := max(min(adminConnections, d/16), 1)
	return room{ingress: max(d-d/4-admin, 1), admin: admin}
}

// room raises the limit of descriptors as far as the system lets it, once at
// start, and says how many connections fit under it.
func (s *Server) room() room {
	limit, err := raiseDescriptors()
	if err != nil {
		s.log.Warn("the limit of file descriptors cannot be raised", slog.Any("error", err))
	}
	r := roomFor(limit)
	if n := s.opts.Safety.MaxConnections; n > 0 {
		r.ingress = n
	}
	if limit > 0 && limit < lowDescriptors {
		s.log.Warn("the limit of file descriptors is low: raise it with ulimit -n, LimitNOFILE= or --ulimit nofile=",
			slog.Uint64("limit", limit), slog.Int("connections", r.ingress))
	}
	return r
}
