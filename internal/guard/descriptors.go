package guard

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

// Room says how many connections each port may have open; 0 is no bound.
type Room struct{ Ingress, Admin int }

// divide shares out a limit of descriptors: a quarter stays for the store and the
// program. A limit of 0 is not known, and bounds nothing.
func divide(descriptors uint64) Room {
	if descriptors == 0 || descriptors > math.MaxInt32 {
		return Room{Admin: adminConnections}
	}
	d := int(descriptors)
	admin := max(min(adminConnections, d/16), 1)
	return Room{Ingress: max(d-d/4-admin, 1), Admin: admin}
}

// RoomFor raises the limit of descriptors of this process as far as the system
// lets it, and says how many connections fit under it. ingress is the bound that
// the program has set for the ingress, 0 for what there is room for. What is
// wrong is logged.
func RoomFor(ingress int, log *slog.Logger) Room {
	limit, err := raiseDescriptors()
	if err != nil {
		log.Warn("the limit of file descriptors cannot be raised", slog.Any("error", err))
	}
	r := divide(limit)
	if ingress > 0 {
		r.Ingress = ingress
	}
	if limit > 0 && limit < lowDescriptors {
		log.Warn("the limit of file descriptors is low: raise it with ulimit -n, LimitNOFILE= or --ulimit nofile=",
			slog.Uint64("limit", limit), slog.Int("connections", r.Ingress))
	}
	return r
}
