package guard

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Connections bounds the open connections of one port. A connection without a
// request that is being worked on waits in a list, the one that has waited
// longest in front: new ones, idle ones, those whose headers or bodies are
// still arriving. Past the limit the front is closed. So clients that open
// connections and do nothing push each other out, and not those who call.
// Its methods may be called concurrently.
type Connections struct {
	port  string
	limit int
	log   *slog.Logger

	mu   sync.Mutex
	open map[net.Conn]*Connection
	// first and last are the ends of the list of those that wait.
	first, last *Connection
	evicted     uint64
	logged      time.Time
}

// Connection is one of them. A nil one stands for a request that came without a
// server, and does nothing. Its methods may be called concurrently.
type Connection struct {
	all  *Connections
	conn net.Conn

	// What follows is guarded by the mutex of all.

	// busy counts requests that are being worked on.
	busy int
	// waits says that it is in the list, between earlier and later; a busy one
	// is not.
	waits          bool
	earlier, later *Connection
}

// NewConnections bounds the connections of a port, which is named in the log. It
// bounds nothing when limit is 0.
func NewConnections(port string, limit int, log *slog.Logger) *Connections {
	return &Connections{port: port, limit: limit, log: log, open: map[net.Conn]*Connection{}}
}

type connectionKey struct{}

// Enter is the ConnContext of a server: it takes a new connection in, and
// closes another one when it is too much.
func (c *Connections) Enter(ctx context.Context, conn net.Conn) context.Context {
	k := &Connection{all: c, conn: conn}
	c.mu.Lock()
	c.open[conn] = k
	c.append(k)
	victim := c.victim()
	c.mu.Unlock()
	if victim != nil {
		_ = abandon(victim)
		c.report()
	}
	return context.WithValue(ctx, connectionKey{}, k)
}

// abandon closes a connection without a goodbye: that of TLS waits for a peer that
// takes nothing, and nobody else could connect meanwhile.
func abandon(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.Close()
}

// victim returns the connection to close, nil when there is room. The new one
// waits too, so there is always one to close.
func (c *Connections) victim() net.Conn {
	k := c.first
	if c.limit == 0 || len(c.open) <= c.limit || k == nil {
		return nil
	}
	c.remove(k)
	delete(c.open, k.conn)
	c.evicted++
	return k.conn
}

// reportEvery is how often the log says that connections were closed.
const reportEvery = 10 * time.Second

func (c *Connections) report() {
	c.mu.Lock()
	now, evicted := time.Now(), c.evicted
	due := now.Sub(c.logged) >= reportEvery
	if due {
		c.logged = now
	}
	c.mu.Unlock()
	if due {
		c.log.Warn("too many connections: those that have done nothing for longest are closed",
			slog.String("port", c.port), slog.Int("limit", c.limit), slog.Uint64("closed", evicted))
	}
}

// Changed is the ConnState of a server.
func (c *Connections) Changed(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.open[conn]; k != nil {
		delete(c.open, conn)
		c.remove(k)
	}
}

// append puts a connection at the end of the list. The mutex is held.
func (c *Connections) append(k *Connection) {
	k.waits, k.earlier = true, c.last
	if c.last != nil {
		c.last.later = k
	} else {
		c.first = k
	}
	c.last = k
}

// remove takes a connection out of the list, if it is there. The mutex is held.
func (c *Connections) remove(k *Connection) {
	if !k.waits {
		return
	}
	if k.earlier != nil {
		k.earlier.later = k.later
	} else {
		c.first = k.later
	}
	if k.later != nil {
		k.later.earlier = k.earlier
	} else {
		c.last = k.earlier
	}
	k.waits, k.earlier, k.later = false, nil, nil
}

// Count returns how many are open, and how many were closed for room.
func (c *Connections) Count() (open int, evicted uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open), c.evicted
}

// ConnectionOf returns the connection of a request, nil when it came without a
// server.
func ConnectionOf(r *http.Request) *Connection {
	k, _ := r.Context().Value(connectionKey{}).(*Connection)
	return k
}

// Work says that a request of the connection is being worked on, and Rest that it has ended.
func (k *Connection) Work() {
	if k == nil {
		return
	}
	k.all.mu.Lock()
	k.busy++
	k.all.remove(k)
	k.all.mu.Unlock()
}

// Rest ends what Work has begun.
func (k *Connection) Rest() {
	if k == nil {
		return
	}
	k.all.mu.Lock()
	defer k.all.mu.Unlock()
	if k.busy--; k.busy == 0 && k.all.open[k.conn] == k {
		k.all.append(k)
	}
}
