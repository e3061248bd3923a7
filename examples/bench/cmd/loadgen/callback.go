package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/dormouse-run/dormouse/examples/bench/internal/wire"
)

// callback is what a handler posts when it has made an awakeable.
type callback struct{ token, id string }

// serveCallbacks listens until the process ends and hands every callback to
// fn, from many goroutines.
func serveCallbacks(address string, fn func(callback)) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for callbacks: %w", err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveCallbackConn(conn, fn)
		}
	}()
	return nil
}

// serveCallbackConn serves one connection until the other side has enough.
func serveCallbackConn(conn net.Conn, fn func(callback)) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 8192)
	ok := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	for {
		if _, err := in.ReadSlice('\n'); err != nil {
			return
		}
		h, err := wire.ReadHeaders(in)
		if err != nil {
			return
		}
		body := make([]byte, max(h.Length, 0))
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if _, err := conn.Write(ok); err != nil {
			return
		}
		token, id, _ := strings.Cut(string(body), " ")
		fn(callback{token, id})
	}
}
