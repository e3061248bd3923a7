package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAttackers opens slow and broken clients on order; by itself it does
// nothing. Orders come on its input: "attack" is answered when nearly all are
// connected, "leave" when all have gone.
func TestAttackers(t *testing.T) {
	address := os.Getenv(envAttacked)
	if address == "" {
		t.Skip("it runs as the child of another test")
	}
	n, err := strconv.Atoi(os.Getenv(envClients))
	if err != nil {
		t.Fatal(err)
	}
	var crowd *crowd
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		switch orders.Text() {
		case "attack":
			crowd = gather(address, n)
			eventually(t, "connections", func() bool { return crowd.connected.Load() >= int64(n*9/10) })
		case "leave":
			crowd.leave()
			crowd.all.Wait()
		}
		fmt.Println(orders.Text())
	}
}

// crowd are clients that attack until they are told to leave.
type crowd struct {
	context.Context
	leave     context.CancelFunc
	address   string
	connected atomic.Int64
	all       sync.WaitGroup
}

func gather(address string, n int) *crowd {
	c := &crowd{address: address}
	c.Context, c.leave = context.WithCancel(context.Background())
	for i := range n {
		c.all.Go(func() {
			for c.Err() == nil {
				c.attack(i)
			}
		})
	}
	return c
}

// attack is one life of one client. Ten kinds are equally frequent.
func (c *crowd) attack(i int) {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		c.pause(100 * time.Millisecond)
		return
	}
	c.connected.Add(1)
	defer c.connected.Add(-1)
	defer func() { _ = conn.Close() }()
	switch i % 10 {
	case 0, 1, 2: // says nothing
		c.hold(conn)
	case 3, 4: // headers that never end
		c.drip(conn, "POST /Slow/raw HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n")
	case 5, 6: // a body that never ends
		c.drip(conn, "POST /Slow/raw HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n", "b")
	case 7: // leaves while its call waits
		c.say(conn, "POST /Slow/nap HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
		c.pause(time.Duration(rand.Int64N(int64(time.Second))))
		_ = conn.Close()
		c.pause(30 * time.Second)
	case 8: // resets the connection in the middle of something
		_ = conn.(*net.TCPConn).SetLinger(0)
		c.say(conn, []string{"POST /Slow/nap HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "POST /Slow/raw HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nx", "GET /"}[rand.IntN(3)])
		c.pause(20 * time.Second)
	default:
		c.abuseHTTP2(conn, i/10%3)
	}
}

// say writes; a server that has had enough is no error.
func (c *crowd) say(conn net.Conn, text string) bool {
	_, err := io.WriteString(conn, text)
	return err == nil && c.Err() == nil
}

// hold keeps the connection until the server closes it.
func (c *crowd) hold(conn net.Conn) {
	defer context.AfterFunc(c, func() { _ = conn.Close() })()
	_, _ = io.Copy(io.Discard, conn)
}

// drip says a beginning, and then a bit every second.
func (c *crowd) drip(conn net.Conn, beginning, bit string) {
	for alive := c.say(conn, beginning); alive; alive = c.say(conn, bit) {
		if !c.pause(time.Second) {
			return
		}
	}
}

// pause reports whether to go on.
func (c *crowd) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-c.Done():
		return false
	}
}

// abuseHTTP2 speaks HTTP/2 badly: requests that are taken back at once, settings
// without end, a frame that is announced and does not come.
func (c *crowd) abuseHTTP2(conn net.Conn, kind int) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	if !c.say(conn, preface+http2Frame(4, 0, 0, "")) {
		return
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	switch kind {
	case 0:
		health := "\x82\x86\x04\x0f/restate/health\x41\x01x"
		for stream := uint32(1); stream < 400; stream += 2 {
			if !c.say(conn, http2Frame(1, 5, stream, health)+http2Frame(3, 0, stream, "\x00\x00\x00\x08")) {
				break
			}
		}
	case 1:
		for range 400 {
			if !c.say(conn, http2Frame(4, 0, 0, "")+http2Frame(6, 0, 0, "12345678")) {
				break
			}
		}
	default:
		c.say(conn, http2Frame(1, 1, 1, "\x82")[:5])
	}
	c.pause(20 * time.Second)
}

// http2Frame is a frame of HTTP/2.
func http2Frame(kind, flags byte, stream uint32, payload string) string {
	n := len(payload)
	return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)}) + payload
}
