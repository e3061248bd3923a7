// Command agent lets a language model work with tools, and asks a person before
// it does anything that cannot be undone.
//
// The object Support is keyed by conversation. Its handler ask is the loop of
// every agent: ask the model, run the tools that it wants, tell it what came
// out, until it answers. Each answer of the model and each result of a tool is
// a Run: it is paid for once, and a replay follows the same path although a model
// never says the same thing twice. A tool that is marked risky waits for an
// awakeable first, which a person resolves, rejects, or lets pass. The model
// hears of a refusal and goes on; it is not an error.
//
// The transcript is state of the key, so the next question continues it, and
// status shows it at any time, with the id that waits for a person.
//
// # What a crash does
//
//   - While the model thinks: it is asked again. Its answers so far are not.
//   - While a tool runs: it is run again, with the same RunKey, by which the
//     world outside can tell a repetition.
//   - While a person thinks: nothing. The question stays open under the same id,
//     and the time of the person goes on while the program is down.
//
// A cancel ends the loop at the next wait. The transcript keeps what was said.
//
// # A story
//
// The model of this program is a script: it looks an order up, wants to refund
// it, and says how that went.
//
//	go run ./examples/agent &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Support/c1/ask/send --json '"my order 17 came broken, refund it"' -H 'idempotency-key: q1'
//	# {"invocationId":"inv_1...","status":"Accepted"}
//	curl -s localhost:8080/Support/c1/status
//	# {"waiting":{"id":"sign_1...","tool":"refund","input":"17"},"transcript":[...]}
//	id=$(curl -s localhost:8080/Support/c1/status | grep -o 'sign_1[^"]*')
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/agent &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -si localhost:8080/restate/awakeables/$id/resolve --json '"lisa"'
//	# HTTP/1.1 202 Accepted
//	curl -s localhost:8080/restate/invocation/Support/c1/ask/q1/attach
//	# "refund: done, approved by lisa"
//
// The same with another order, refused:
//
//	curl -s localhost:8080/Support/c2/ask/send --json '"refund order 18"' -H 'idempotency-key: q2'
//	id=$(curl -s localhost:8080/Support/c2/status | grep -o 'sign_1[^"]*')
//	curl -si localhost:8080/restate/awakeables/$id/reject -d 'it was not broken'
//	# HTTP/1.1 202 Accepted
//	curl -s localhost:8080/restate/invocation/Support/c2/ask/q2/attach
//	# "refund: refused: it was not broken"
//	curl -s localhost:8080/Support/c2/status
//	# {"waiting":null,"transcript":[...]}
package main
