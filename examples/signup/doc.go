// Command signup opens an account when its owner has confirmed the address.
//
// The workflow Signup is keyed by user and runs once for each: it mails a link,
// waits for a click, reminds once, and gives up after a day. The click comes in
// through another handler of the same workflow, which runs beside the waiting
// one; a promise carries it over. A promise is completed once, and everybody may
// look at it, before the run, during it and after it.
//
// That once decides what would be a race otherwise. When the day is over, the
// run rejects the promise: if somebody has clicked in that very moment, this
// fails, and the account is opened. Whoever clicks later is told that the link
// has ended. So a click and the end of the link never both win, and a second
// click is told the same as the first.
//
// # What a crash does
//
//   - While it waits: nothing. It wakes on time, or at the restart when that was
//     later.
//   - While it mails: the mailbox is an object of this program, so it gets each
//     mail once. A real one is reached in a Run, with the RunKey as message id.
//   - Behind a click: its 200 was given when the promise was on disk.
//
// # A story
//
//	go run ./examples/signup &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Signup/ann/run/send --json '"ann@example.org"'
//	# {"invocationId":"inv_1...","status":"Accepted"}
//	curl -s localhost:8080/Signup/ann/status
//	# "waiting for the click"
//	curl -s localhost:8080/restate/workflow/Signup/ann/output
//	# {"code":470,...}
//	secret=$(curl -s localhost:8080/Mailbox/ann@example.org/read | cut -d'"' -f8)
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/signup &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Signup/ann/click --json '"a guess"'
//	# {"code":403,"message":"the link is false","source":"invocation"}
//	curl -s localhost:8080/Signup/ann/click --json '"'$secret'"'
//	# "confirmed"
//	curl -s localhost:8080/restate/workflow/Signup/ann/attach
//	# {"user":"ann","address":"ann@example.org"}
//	curl -s localhost:8080/Signup/ann/click --json '"'$secret'"'
//	# "confirmed"
//
// A user signs up once; a send meets the first one, a call is refused:
//
//	curl -s localhost:8080/Signup/ann/run/send --json '"other@example.org"'
//	# {"invocationId":"inv_1...","status":"PreviouslyAccepted"}
//	curl -s localhost:8080/Signup/ann/run --json '"other@example.org"'
//	# {"code":409,...}
//
// Nobody clicks:
//
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/signup -remind 100ms -expire 300ms &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Signup/bob/run --json '"bob@example.org"'
//	# {"code":410,"message":"the link has ended","source":"invocation"}
//	secret=$(curl -s localhost:8080/Mailbox/bob@example.org/read | cut -d'"' -f8)
//	curl -s localhost:8080/Signup/bob/click --json '"'$secret'"'
//	# {"code":410,"message":"the link has ended","source":"invocation"}
//	curl -s localhost:8080/Mailbox/bob@example.org/read
//	# [{"subject":"confirm","secret":"..."},{"subject":"reminder","secret":"..."},{"subject":"farewell"}]
package main
