// Command tickets sells seats, none of them twice.
//
// Two objects share the work. Seat is keyed by seat and knows who holds it: its
// handlers run one at a time, so of a thousand who reach for a seat one gets it.
// Cart is keyed by customer: it holds seats for a while, and then buys them or
// gives them back. The while is a send with a delay, from the cart to itself,
// which passes on disk; there is no timer to lose and no table to sweep.
//
// The check-out and the end of a hold are both exclusive handlers of the cart.
// They cannot overlap: a hold that ends during a payment waits, and then finds
// the seat bought. Nobody pays for a seat that is gone. Each hold has a number
// of its own, so the end of an earlier hold does not end a later one.
//
// A cart calls seats and a seat calls nobody, so they cannot wait for each other.
//
// # What a crash does
//
//   - In add: the call of the seat goes on after the restart, and holds it
//     once. The end of the hold was sent before, so there is no seat that is held
//     for ever, whatever becomes of the call.
//   - In checkout, during the payment: it is repeated under the number of the
//     order, by which the bank knows it. Behind it: the seats are bought.
//   - While a hold lasts: it ends on time, or at the restart when that was later.
//
// # A story
//
//	go run ./examples/tickets &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Cart/alice/add --json '"A1"'
//	# {"held":true,"until":"..."}
//	curl -s localhost:8080/Cart/bob/add --json '"A1"'
//	# {"held":false}
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/tickets &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Cart/bob/add --json '"A1"'
//	# {"held":false}
//	curl -s -X POST localhost:8080/Cart/alice/checkout
//	# {"seats":["A1"]}
//	curl -s localhost:8080/Seat/A1/status
//	# {"status":"sold","to":"alice"}
//
// A hold of another length shows how a seat comes back by itself:
//
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/tickets -hold 300ms &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Cart/alice/add --json '"B7"'
//	# {"held":true,"until":"..."}
//	sleep 1
//	curl -s localhost:8080/Seat/B7/status
//	# {"status":"free"}
//	curl -s -X POST localhost:8080/Cart/alice/checkout
//	# {"code":409,"message":"the cart is empty","source":"invocation"}
package main
