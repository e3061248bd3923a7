// Command fanout asks many shops for a price at once and returns what it gets.
//
// The handler collect of the service Inquiry calls one object for each shop,
// without waiting in between: the calls are futures. It then waits for all of
// them together, takes each answer when it comes, and stops at its deadline: a
// timer is one more future in the same wait. What has failed and what was too
// slow is part of the result; the rest is not lost because of it. Calls that
// nobody waits for any more are cancelled.
//
// Shops are objects with a key, so each of them answers one question at a time,
// and as many shops as there are work in parallel.
//
// # What a crash does
//
//   - While the calls are made: those that were made are not made again, the
//     others are.
//   - While the shops work: each goes on by itself. The collector is suspended, or
//     run again, and finds the answers that have come in its journal, in the
//     order in which they came.
//   - The deadline is a time, not a duration: it does not begin anew.
//
// # A story
//
//	go run ./examples/fanout &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Inquiry/collect --json '{"item":"lamp","shops":["ann","bob","closed"]}'
//	# {"best":"ann","prices":{"ann":294,"bob":742},"failed":{"closed":"the shop is closed"}}
//
// A shop that is slow does not hold up the others, and a kill not the shops:
//
//	curl -s localhost:8080/Inquiry/collect/send --json '{"item":"lamp","shops":["ann","slow"],"deadline":"1500ms"}' -H 'idempotency-key: i1'
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/fanout &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/restate/invocation/Inquiry/collect/i1/attach
//	# {"best":"ann","prices":{"ann":294},"failed":{"slow":"no answer in 1.5s"}}
package main
