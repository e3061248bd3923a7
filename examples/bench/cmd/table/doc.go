// Command table builds everything, runs the ceiling, the runtime and Restate in
// turn, and prints Markdown: what the machine is, each goal with its verdict, and
// every figure that was measured. Run it in examples/bench:
//
//	go run ./cmd/table                      w1 to w4 and w6
//	go run ./cmd/table -scale 1000000       also what waits in great numbers
//	go run ./cmd/table -profile profiles    also a CPU profile of the runtime for each line
//	go run ./cmd/table -render FILE         the tables of a former run, kept in results/table.json
//	go run ./cmd/table -into FILE           also puts them into a page
//	go run ./cmd/table -short               shows that everything works
//
// Restate is measured when RESTATE_SERVER names its server, and else stands there
// with published figures, marked as such. The goals are the list in goals.go, the
// published figures that in published.go.
package main
