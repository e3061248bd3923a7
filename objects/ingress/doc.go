// Package ingress calls handlers from outside of handlers: typed requests,
// sends, results of earlier invocations, answers to awakeables, signals, and operations
// on invocations.
//
// A Client reaches a runtime through a Transport. The runtime of the same
// process hands out a client whose transport is a function call; NewClient
// makes one that speaks HTTP to the ingress and the admin port of another
// process. Both have the same functions and the same errors:
//
//	Service / Object / Workflow ──► Requester ──┐
//	InvocationById / WorkflowHandle ► Handle ───┼─► Transport ─┬─ in process
//	ResolveAwakeable / ResolveSignal / Kill … ──┘              └─ HTTP
//
// What returns without an error is durable. What returns an error is either an
// Error, with what the runtime said, or the failure of the way there: then it
// is unknown whether something was stored, and only a request with an
// idempotency key, an answer to an awakeable or an operation can be repeated
// without harm.
//
// The package must not know actors, stores or routes of handlers.
package ingress
