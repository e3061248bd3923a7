// Command webhook receives the events of a payment provider, each exactly once
// in effect.
//
// A provider repeats an event until it is answered with a 2xx, and may repeat it
// after that; events may come out of order; and everybody can send something
// that looks like one. So
//
//   - the handler receive checks the signature, an HMAC of the raw body under a
//     shared secret, in constant time. What is not signed gets a 401 and leaves
//     nothing behind;
//   - it hands the event to the object Payment, and then answers. The 200 says
//     that the event is on disk: the provider may forget it;
//   - it sends with the id of the event as idempotency key, so a repetition
//     meets the same invocation. The object remembers the ids besides, for
//     events that are repeated after the retention of that, however much later;
//   - the object adds up instead of taking the last word, so the order of events
//     is of no importance.
//
// # What a crash does
//
//   - Before the answer: the provider repeats the event. Whether or not the send
//     was durable, it is applied once.
//   - Behind the answer: the event is applied after the restart.
//
// # A story
//
// The secret is test. The signatures were made with
//
//	printf '%s' "$body" | openssl dgst -sha256 -hmac test
//
//	WEBHOOK_SECRET=test go run ./examples/webhook &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Webhook/receive -H 'x-signature: sha256=4d34e00047489a1b6fd4e8b71b15a35add31e4072c90d07aed236a6137c07270' \
//	  --json '{"id":"evt_1","payment":"p_1","type":"captured","cents":1200}'
//	# {"payment":"p_1"}
//	curl -s localhost:8080/Payment/p_1/status
//	# {"captured":1200,"refunded":0,"events":["evt_1"]}
//
// The same event again, behind a kill, and then one whose amount is another:
//
//	kill -9 $(lsof -ti tcp:8080 -sTCP:LISTEN)
//	WEBHOOK_SECRET=test go run ./examples/webhook &
//	curl -s --retry 9 --retry-connrefused localhost:8080/restate/health
//	curl -s localhost:8080/Webhook/receive -H 'x-signature: sha256=4d34e00047489a1b6fd4e8b71b15a35add31e4072c90d07aed236a6137c07270' \
//	  --json '{"id":"evt_1","payment":"p_1","type":"captured","cents":1200}'
//	# {"payment":"p_1"}
//	curl -s localhost:8080/Webhook/receive -H 'x-signature: sha256=4d34e00047489a1b6fd4e8b71b15a35add31e4072c90d07aed236a6137c07270' \
//	  --json '{"id":"evt_1","payment":"p_1","type":"captured","cents":9900}'
//	# {"code":401,"message":"the signature does not fit the body",...}
//	curl -s localhost:8080/Webhook/receive -H 'x-signature: sha256=699c7c4d0e8d68f1de577d6071acb5e0a827760aa406f59d5588e8113b687943' \
//	  --json '{"id":"evt_2","payment":"p_1","type":"refunded","cents":200}'
//	# {"payment":"p_1"}
//	curl -s localhost:8080/Payment/p_1/status
//	# {"captured":1200,"refunded":200,"events":["evt_1","evt_2"]}
package main
