// Package client is where Restate's own Go client for the ingress,
// github.com/restatedev/sdk-go/ingress, is tested against Dormouse. Nothing of it
// has to be changed: it is given the URL of the ingress.
//
//	client := ingress.NewClient("http://127.0.0.1:8080")
//	sum, err := ingress.Object[int64, Sum](client, "Counter", "visits", "add").Request(ctx, 1)
//
// Programs that use Dormouse's package objects/ingress have the same calls and
// more: that client knows awakeables, calls handlers by method, and runs in
// process as well. The tests here are one for each thing that Restate's can do,
// also through a kill of the server. It is a module of its own, so that the
// original SDK is no dependency of Dormouse.
//
// What is worth knowing of that client:
//
//   - It repeats nothing. A 503 whose Error is not an invocation's may be
//     repeated at once; after a lost connection repeat what has an idempotency
//     key.
//   - It escapes nothing in a path: url.PathEscape what goes into a key or a
//     workflow id. An idempotency key that is to be attached to by key must have
//     no character that a path cannot have.
//   - SendResponse.Attach decodes JSON whatever codec the send had:
//     InvocationById takes a codec.
//   - It has no awakeables: POST /restate/awakeables/{id}/resolve.
package client
