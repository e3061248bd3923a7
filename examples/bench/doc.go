// Command bench hosts the objects of the workloads on Dormouse, so that the load
// generator beside it can measure the runtime as any other target.
//
// The objects are:
//
//	Counter.add(int) int        state get and set
//	Steps.run10(int) int        ten Runs that return 1, added to the input
//	Waiter.wait(token) string   makes an awakeable, posts "token id" to the
//	                            callback URL in a Run, returns what resolves it
//	Waiter.hold() string        makes an awakeable, returns what resolves it
//	Waiter.pass()               nothing
//
// GET /stats on a port of its own tells how many handlers have finished, and
// what they took: group commits, rows, bytes, syncs. The profiles of
// net/http/pprof are below /debug/pprof/ of that port.
package main
