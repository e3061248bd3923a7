// Package services holds the services that Restate's public end-to-end test
// suite calls, written for this SDK. Names of services and handlers and the
// shapes of their JSON are a contract; how they do it is ours.
//
// They are also a tour of the SDK, one file per service:
//
//	counter.go           state of an object, exclusive and shared handlers
//	listobject.go        one state value per object
//	mapobject.go         many state values, Keys, ClearAll
//	awakeableholder.go   answers from outside, kept by one object for another
//	failing.go           terminal errors, retries of handlers and of Run
//	proxy.go             calls with raw bytes, sends, delays, idempotency keys
//	testutils.go         headers, binary payloads, timers, signals
//	cancel.go, kill.go   trees of invocations that are cancelled and killed
//	nondeterministic.go  code that does not fit its journal, and what follows
//	workflow.go          a workflow with a promise
//	command*.go          futures: first, all, first successful
//	program*.go          programs made at random, over three layers of objects
//	upgrade.go           what version has run
//
// The package must not know how it is served: it imports the SDK and nothing of
// the runtime.
package services
