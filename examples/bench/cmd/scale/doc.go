// Command scale measures what many invocations that wait cost: it parks them on
// as many keys, kills the program, starts it again, resolves them all, and
// looks at what is left on the disk; then it queues as many on one key. It
// prints a line of JSON for each part.
//
//	go build -o bin/ . ./cmd/... && bin/scale -n 100000
//
// The program is that of the directory above, with the runtime's own defaults
// but a retention of 0. Of what a part does the program tells by its metrics:
// an invocation is parked when its suspension is durable and its attempt has
// left memory, and it is done when its end is durable.
package main
