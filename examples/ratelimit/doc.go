// Command ratelimit gives each client so many requests, and no more.
//
// The object Limiter is keyed by client and holds a token bucket: it is filled
// at a steady rate up to its size, and each request takes tokens out. Handlers
// of one key run one at a time, so two requests never take the same token, and
// there is nothing to lock.
//
// How full the bucket is follows from the clock, and a handler must not read the
// clock itself: a replay would read another one and decide otherwise. It reads
// it in a Run, which gives every replay the time of the first attempt. A clock
// that steps back fills nothing and locks nobody out.
//
// # What a crash does
//
//   - Before the time is recorded: the request is decided after the restart.
//   - Behind that: the decision is made again from the recorded time and the
//     same bucket, so it is the same one, and the tokens are taken once.
//   - Behind the answer: bucket and answer were made durable together. Nobody
//     gets a full bucket from a restart.
//
// # A story
//
//	go run ./examples/ratelimit &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Limiter/alice/configure --json '{"size":3,"refill":"1m"}'
//	curl -s localhost:8080/Limiter/alice/take --json '2'
//	# {"allowed":true,"left":1}
//	curl -s localhost:8080/Limiter/alice/take --json '2'
//	# {"allowed":false,"left":1,"retryAfter":"...s"}
//
// A restart gives nothing away, and bob has a bucket of his own, of the size 10,
// with a new token every second:
//
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	go run ./examples/ratelimit &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Limiter/alice/take --json '2'
//	# {"allowed":false,"left":1,"retryAfter":"...s"}
//	curl -s localhost:8080/Limiter/bob/take --json '2'
//	# {"allowed":true,"left":8}
//
// A repetition with the same idempotency key gets the same answer and takes
// nothing:
//
//	curl -s localhost:8080/Limiter/bob/take --json '2' -H 'idempotency-key: r-1'
//	# {"allowed":true,"left":6}
//	curl -s localhost:8080/Limiter/bob/take --json '2' -H 'idempotency-key: r-1'
//	# {"allowed":true,"left":6}
//	curl -s localhost:8080/Limiter/bob/take --json '11'
//	# {"code":400,"message":"11 tokens never fit into a bucket of 10",...}
package main
