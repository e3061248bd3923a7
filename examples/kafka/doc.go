// Command kafka hands a question to people behind a Kafka topic, and waits.
//
// The handler ask of the object Document makes an awakeable and produces its id,
// with the question, to the topic questions. It then waits: a minute or a month,
// in memory or on disk. A consumer group elsewhere reads the topic, decides, and
// answers by HTTP with that id. It needs to know nothing of Dormouse but a URL;
// package reviewer is such a group.
//
// Both sides do their work at least once, and it does no harm:
//
//   - Producing is a Run. When the process dies between the acknowledgement of
//     the broker and the record of it, the question is produced again, with the
//     same id. Every record carries the RunKey as the header idempotency-key, for
//     consumers that would rather be asked once.
//   - The consumer answers first and commits its offset then. When it dies in
//     between, it is given the question again and answers again. The first answer
//     of an awakeable wins; later ones are acknowledged and ignored, and the
//     header x-dormouse-outcome says so.
//
// The franz-go client stands in a module of its own, so that it does not reach
// the users of the library.
//
// # What a crash does
//
//   - In the Run: see above.
//   - While it waits: nothing. The answer may even come while the program is
//     down: the consumer repeats it until the program is back.
//   - Behind the answer: its 202 was given when it was on disk.
//
// # A story
//
// With a broker at localhost:9092:
//
//	cd examples/kafka
//	go run . &
//	go run ./cmd/reviewer &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Document/d1/ask --json '{"text":"a fine contract"}'
//	# {"decision":"approved"}
//	curl -s localhost:8080/Document/d2/ask --json '{"text":"a contract without a price"}'
//	# {"code":500,"message":"no price","source":"invocation"}
//
// A question that is asked before a kill is answered behind it:
//
//	curl -s localhost:8080/Document/d3/ask/send --json '{"text":"one more"}' -H 'idempotency-key: q1'
//	# {"invocationId":"inv_1...","status":"Accepted"}
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run . &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/restate/invocation/Document/d3/ask/q1/attach
//	# {"decision":"approved"}
package main
