package httpapi

import (
	queue "container/list"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections bounds the open connections of one port. A connection without a
// request that is being worked on waits in a list, the one that has waited
// longest in front: new ones, idle ones, those whose headers or bodies are
// still arriving. Past the limit the front is closed. So clients that open
// connections and do nothing push each other out, and not those who call.
// Its methods may be called concurrently.
type connections struct {
	port  string
	limit int
	log   *slog.Logger

	mu   sync.Mutex
	open map[net.Conn]*connection
	// waiting holds *connection.
	waiting queue.List
	evicted uint64
	logged  time.Time
}

// connection is one of them. Its fields are guarded by the mutex of all.
type connection struct {
	all  *connections
	conn net.Conn
	// busy counts requests that are being worked on.
	busy int
	// place is that in the list, nil while busy.
	place *queue.Element
}

// newConnections bounds nothing when limit is 0.
func newConnections(port string, limit int, log *slog.Logger) *connections {
	return &connections{port: port, limit: limit, log: log, open: map[net.Conn]*connection{}}
}

type connectionKey struct{}

// enter is the ConnContext of a server: it takes a new connection in, and
// closes another one when it is too much.
func (c *connections) enter(ctx context.Context, conn net.Conn) context.Context {
	k := &connection{all: c, conn: conn}
	c.mu.Lock()
	c.open[conn] = k
	k.place = c.waiting.PushBack(k)
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
func (c *connections) victim() net.Conn {
	if c.limit == 0 || len(c.open) <= c.limit || c.waiting.Len() == 0 {
		return nil
	}
	k := c.waiting.Remove(c.waiting.Front()).(*connection)
	k.place = nil
	delete(c.open, k.conn)
	c.evicted++
	return k.conn
}

// reportEvery is how often the log says that connections were closed.
const reportEvery = 10 * time.Second

func (c *connections) report() {
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

// changed is the ConnState of a server.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.open[conn]; k != nil {
		delete(c.open, conn)
		if k.place != nil {
			c.waiting.Remove(k.place)
			k.place = nil
		}
	}
}

// count returns how many are open, and how many were closed for room.
func (c *connections) count() (open int, evicted uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open), c.evicted
}

// connectionOf returns the connection of a request, nil when it came without a
// server.
func connectionOf(r *http.Request) *connection {
	k, _ := r.Context().Value(connectionKey{}).(*connection)
	return k
}

// work says that a request of the connection is being worked on; rest ends it.
func (k *connection) work() {
	if k == nil {
		return
	}
	k.all.mu.Lock()
	defer k.all.mu.Unlock()
	if k.busy++; k.place != nil {
		k.all.waiting.Remove(k.place)
		k.place = nil
	}
}

func (k *connection) rest() {
	if k == nil {
		return
	}
	k.all.mu.Lock()
	defer k.all.mu.Unlock()
	if k.busy--; k.busy == 0 && k.all.open[k.conn] == k {
		k.place = k.all.waiting.PushBack(k)
	}
}
