// Command cron does something again and again, on time, once each time.
//
// The object Cron is keyed by job. Each tick sends the next one to itself with a
// delay, and the work to another object, so that work that takes long, or fails,
// does not hold up the clock. There is no loop and no timer in memory: between
// two ticks a job is a row on disk.
//
// The times lie on a grid that begins at the start of the job. The next time is
// computed from the grid, not from the moment in which a tick happens to run, so
// being late does not add up. Times that have passed while the program was down
// are skipped and counted, not made up for in a burst.
//
// A tick carries the number of its schedule and its time, and does something
// only when it is the one that the state expects. So a tick that is left over
// from before a stop, or that comes twice, changes nothing; and each message
// has an idempotency key made of both.
//
// # What a crash does
//
//   - Between two ticks: the next one comes on time, or at the restart.
//   - In a tick: it is run again. What it has sent is sent once: the messages are
//     part of its journal. The new expectation and the messages are durable in
//     the order in which they were made, so there is no tick without a successor.
//
// # A story
//
//	go run ./examples/cron &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Cron/backup/start --json '{"every":"200ms"}'
//	sleep 1
//	curl -s localhost:8080/Report/backup/read
//	# {"written":...,"last":"..."}
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/cron &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	sleep 1
//	curl -s localhost:8080/Cron/backup/status
//	# {"every":"200ms","next":"...","ticks":...,"skipped":...}
//	curl -s -X POST localhost:8080/Cron/backup/stop
//	# {"every":"200ms",...}
//	curl -s localhost:8080/Cron/backup/status
//	# {"code":404,"message":"backup is not scheduled","source":"invocation"}
package main
