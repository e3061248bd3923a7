package main

import (
	"net"
	"testing"
)

// callbackServer serves callbacks on a free port and returns its URL.
func callbackServer(t *testing.T, fn func(callback)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := serveCallbacks(address, fn); err != nil {
		t.Fatal(err)
	}
	return "http://" + address + "/cb"
}
