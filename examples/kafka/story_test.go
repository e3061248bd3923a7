package main

import (
	"net"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	"github.com/dormouse-run/dormouse/examples/kafka/reviewer"
)

// TestTheStoryIsTrue gives the program a port of its own: the reviewer has to
// find it again after the kill.
func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ingress := l.Addr().String()
	_ = l.Close()
	brokers := broker(t)
	review(t, reviewer.Config{Brokers: brokers, Ingress: "http://" + ingress, Decide: reviewer.WithPrice})
	exampletest.Tell(t, "-ingress", ingress, "-brokers", strings.Join(brokers, ","))
}
