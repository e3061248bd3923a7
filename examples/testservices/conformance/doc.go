// Package conformance holds the suite of Restate's public end-to-end tests,
// row by row, run against an embedded runtime over HTTP. It has no code of its
// own.
//
// Each case is a test function, named after the case, and runs in every mode in
// which it can tell something:
//
//	default      as a program runs
//	suspend      every wait is a suspension, and no key lingers in memory
//	evict        about one timer is in memory, the others are read back
//	lazy         state is read through completions
//
// A runtime of its own serves each: ports on loopback, the store in memory. The
// cases that restart or kill have a data directory and a process of their own,
// which is this test binary with the services of package services.
//
// docs/conformance.md is the table of all cases.
package conformance
