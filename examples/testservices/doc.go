// Command testservices serves the services that Restate's public end-to-end
// test suite calls, on an embedded runtime.
//
//	go run ./examples/testservices -ingress 127.0.0.1:8080 -admin 127.0.0.1:9070 -data ./data
//
// A suite that is given the two addresses runs against it; nothing has to be
// registered. With -inactivity 0 every wait is a suspension:
//
//	go run ./examples/testservices -inactivity 0
//
// The services are in package services. Package conformance calls them like the
// suite does.
package main
