package dormousetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// errDown is why a connection is refused.
var errDown = errors.New("connection refused: no runtime is up: call Bind, Restart or Crash first")

// port is one address of an environment. It outlives the runtimes that listen on
// it, one at a time; while there is none, connections are refused.
type port struct {
	address net.Addr
	mu      sync.Mutex
	life    *listener
}

// listen begins to accept connections, until the listener is closed.
func (p *port) listen() *listener {
	l := &listener{port: p, arrived: make(chan net.Conn), done: make(chan struct{}), open: map[*connection]bool{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = l
	return l
}

// connect hands a connection to whoever listens. It closes the connection when
// nobody does.
func (p *port) connect(ctx context.Context, c net.Conn) error {
	p.mu.Lock()
	l := p.life
	p.mu.Unlock()
	err := errDown
	if l != nil {
		select {
		case l.arrived <- c:
			return nil
		case <-l.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return errors.Join(fmt.Errorf("connect to %s: %w", p.address, err), c.Close())
}

// dial connects within the process.
func (p *port) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	if err := p.connect(ctx, server); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

// forward hands over what a listener of the system accepts, until that is
// closed.
func (p *port) forward(from net.Listener) {
	for {
		c, err := from.Accept()
		if err != nil {
			return
		}
		_ = p.connect(context.Background(), c) // the peer sees that it was closed
	}
}

// listener is the port of one runtime.
type listener struct {
	port    *port
	arrived chan net.Conn
	done    chan struct{}

	mu sync.Mutex
	// open are the connections that nobody has closed. closed says that done
	// is, severed that connections are broken.
	open            map[*connection]bool
	closed, severed bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.arrived:
		return l.track(c), nil
	case <-l.done:
		return nil, fmt.Errorf("accept on %s: %w", l.port.address, net.ErrClosed)
	}
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.port.address }

// Close implements net.Listener. Connections stay open.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.done)
	}
	return nil
}

// sever closes the listener and breaks all its connections.
func (l *listener) sever() {
	_ = l.Close() // returns nil
	l.mu.Lock()
	l.severed = true
	var all []*connection
	for c := range l.open {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		_ = c.Close() // it may have been closed meanwhile
	}
}

func (l *listener) track(c net.Conn) net.Conn {
	t := &connection{Conn: c, from: l}
	l.mu.Lock()
	late := l.severed
	l.open[t] = !late
	l.mu.Unlock()
	if late {
		_ = t.Close() // who accepted it finds out
	}
	return t
}

// connection is one that its listener can break.
type connection struct {
	net.Conn
	from *listener
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.from.mu.Lock()
	delete(c.from.open, c)
	c.from.mu.Unlock()
	return c.Conn.Close()
}

// memoryAddress is an address in the process.
type memoryAddress string

// Network implements net.Addr.
func (memoryAddress) Network() string { return "memory" }

// String implements net.Addr.
func (a memoryAddress) String() string { return string(a) }
