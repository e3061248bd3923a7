// Package httpapi puts a runtime behind two HTTP ports and starts and stops the
// whole thing: routes to runtime calls, and errors to status codes, each in one
// table.
//
//	ingress   calls, sends, results, awakeables, signals       for the world
//	admin     operations: cancel, kill, pause, resume, …
//	          introspection: lists, keys, journals, events     for trusted callers
//	          services, their OpenAPI documents, metrics
//
// # The path of a request
//
//	net/http ─► Echo ─► frame ─► admit ─┬─ ingress: split, route, readRequest ─┬─► runtime
//	                      ▲             └─ admin: Echo's router, params ───────┘      │
//	                      └──── failureOf ◄─── error ◄────────────────────────────────┤
//	                              writeResult, writeView ◄────────────────────────────┘
//
// Echo is the frame of the server. Its router serves the admin port; the
// ingress has one route for everything, because its grammar needs the raw path:
// an empty segment is a key, and whether a segment is a key at all follows from
// the service it names. What is needed of a request on its way is in one
// exchange, whose memory serves the next request.
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
// # Who may ask, and how much
//
// Safety holds the settings. Before a route is looked for, admit asks for the
// token of the part of the port, then whether a page of another origin made a
// browser send the request. Ingress, awakeables and admin port have tokens of
// their own; without any, the ingress is open and the admin port is on loopback.
// What comes too much is refused or closed by four bounds: requests that are
// worked on (a call that only waits gives its place back), bytes of bodies that
// are arriving, connections that do nothing, and streams of one connection.
//
// # Introspection and events
//
// A list is one page of a snapshot. It looks at a bounded number of rows, in
// internal/query, and answers with what it has and a cursor; the files that end
// in _view.go say how things look as JSON. The event stream shows the same items
// as they change: the runtime hands over what is durable, batch by batch, and a
// client that is too slow is told that it has missed something.
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
