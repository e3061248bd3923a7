// Package exampletest runs an example the way a reader does: as a program of
// its own, over HTTP, with a kill in between.
//
// Main makes a test binary able to be the program, Start starts it on a data
// directory, and Tell reads the story in the package comment of doc.go and does
// what it says, line by line:
//
//	go run ./examples/saga &                  starts the program, or starts it again
//	curl localhost:8080/Trip/book --json '1'  sends the request; 8080 is the ingress, 9070 the admin port
//	# {"flight":"..."}                        what the request is answered; ... stands for anything
//	id=$(curl ... | grep -o 'sign_1[^"]*')    remembers a part of an answer, also with cut -d'"' -f4
//	kill -9 $(lsof -ti tcp:8080)              kills the program
//	curl --retry 9 --retry-connrefused ...    waits for the program, which Start does anyhow
//	sleep 1                                   is for people
//
// So a story can be pasted into a shell, and cannot become untrue. A GET whose
// answer does not fit is repeated for a while: the reader types more slowly than
// a test.
//
// Open is for tests that need a hand inside of the program: it opens the
// handlers of an example without HTTP, on a data directory that a later Open
// continues. The package knows no example.
package exampletest
