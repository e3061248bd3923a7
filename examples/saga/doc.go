// Command saga books trips, wholly or not at all.
//
// A trip is a flight, a hotel and a car at three companies that know nothing of
// each other: there is no transaction over them. Each reservation is a step of
// the handler, and has a compensation that undoes it. When a step fails for
// good, or the trip is cancelled, the compensations of the steps so far run, the
// last one first. What fails for a moment is repeated instead.
//
// # What a crash does
//
//   - Before a reservation: it is made after the restart.
//   - Between a reservation and the record of it: it is made again, under the
//     same number. So companies take a number, and a repetition changes nothing.
//   - Behind it: it is known and not made again.
//   - Between two compensations: the rest of them runs after the restart.
//
// A compensation is registered before its step: a step that has failed, or was
// cut off by a cancel, may have reached the company all the same.
//
// # A story
//
//	go run ./examples/saga &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Trip/book --json '{"flight":"LH 454","hotel":"Ritz","car":"Fiat"}'
//	# {"flight":"...","hotel":"...","car":"..."}
//
// The third step fails, and all three are undone:
//
//	curl -s localhost:8080/Trip/book --json '{"flight":"LH 454","hotel":"Ritz","car":"sold out"}'
//	# {"code":409,"message":"car \"sold out\" is not to be had","metadata":{"undone":"car, hotel, flight"},"source":"invocation"}
//
// A trip may wait for its customer before the car is reserved. It is killed
// while it waits, and cancelled after the restart. What is undone is what was
// begun before the cancel, by a reader who types the hotel and the flight:
//
//	inv=$(curl -s localhost:8080/Trip/book/send --json '{"flight":"LH 454","hotel":"Ritz","car":"Fiat","think":"1h"}' | grep -o 'inv_1[^"]*')
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/saga &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -si -X PATCH localhost:9070/invocations/$inv/cancel
//	# HTTP/1.1 202 Accepted
//	curl -s localhost:8080/restate/invocation/$inv/attach
//	# {"code":409,"message":"cancelled","metadata":{"undone":"...flight"},"source":"invocation"}
package main
