// Package httpapi puts a runtime behind two HTTP ports and starts and stops the
// whole thing: routes to runtime calls, and errors to status codes, each in one
// table.
//
//	ingress   calls, sends, results, awakeables        for the world
//	admin     cancel, kill, pause, resume, purge,
//	          introspection                            for trusted callers
//
// # The path of a request
//
//	net/http ─► Echo ─► frame ─► admit ─► split, route ─► readRequest ─► runtime
//	                      ▲                                                │
//	                      └──── failureOf ◄─── error ◄─────────────────────┤
//	                                           writeResult ◄───────────────┘
//
// Echo is the frame of the server. Its router serves the admin port; the
// ingress has one route for everything, because its grammar needs the raw path:
// an empty segment is a key, and whether a segment is a key at all follows from
// the service it names.
//
// # What an answer promises
//
// A 2xx is written after the runtime has returned, and the runtime returns
// after what it says is on disk. An error with the source "ingress" says that
// nothing was accepted: clients repeat such requests. Where that is not known,
// because the runtime stopped while a request was under way, there is no
// answer: the connection is closed. Every other error comes from an invocation
// and has the source "invocation".
//
// A call may wait for days, so no timeout covers a whole request. The arrival
// of headers and body and the departure of the answer are bounded instead. A
// client that leaves cancels nothing.
//
// # Starting and stopping
//
// Run opens the ports, the store and the runtime, in this order, and serves
// until its context is done. Then the runtime drains while new requests get a
// 503, what still waits loses its connection, and everything is closed. Signals
// belong to the program.
//
// The package knows no record, no actor and no journal beyond showing one. It
// is the only one that imports Echo.
package httpapi
