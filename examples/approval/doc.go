// Command approval asks people for decisions and does not forget who it asked.
//
// The object Approval is keyed by person. Its exclusive handler request hands
// an awakeable id to that person, waits for the answer for as long as it takes,
// and returns it. One person is asked one thing at a time: further requests
// queue. The shared handler status answers meanwhile.
//
//	go run ./examples/approval
//
// Ask alice; the call waits:
//
//	curl localhost:8080/Approval/alice/request --json '{"what":"a new laptop"}'
//
// The program prints the id of the awakeable. From another terminal:
//
//	curl localhost:8080/Approval/alice/status
//	curl localhost:8080/restate/awakeables/sign_1.../resolve --json '"approved"'
//	curl localhost:8080/restate/awakeables/sign_1.../reject -d 'too expensive'
//
// With a "callback" in the request the id is also sent there, as
//
//	POST callback   {"id":"sign_1...","what":"a new laptop","who":"alice"}
//
// and the sending is retried until it is answered with a 2xx.
package main
