// Package dormousetest runs the services of a program inside of a test: the whole
// runtime, its store and its HTTP ports, without another process. It has two
// doors into the same environment, and a third one for journals.
//
//	Run     in a testing/synctest bubble, on a store in memory and connections
//	        in memory. Time passes by itself whenever test and runtime wait, so
//	        a week is over in a moment, and a test is as fast as its code.
//	Start   on loopback ports, a data directory and the real clock, with the
//	        shape of the test environment of Restate's Go SDK.
//	Replay  runs the journal of an invocation, exported from a runtime anywhere,
//	        against the code of today, and fails when the code does not fit.
//
// # Lives
//
// An environment outlives its runtime, as a data directory outlives a process:
//
//	        Bind, Restart, Crash
//	down ───────────────────────────► up
//	 ▲                                │
//	 └───── Stop, Restart ────────────┤  handlers are suspended, all is durable
//	 └───── Kill, Crash ──────────────┘  connections break, what is not durable is lost
//
// Addresses, clients and the data stay the same. Restart and Crash take the
// definitions of the next build, or go on with those of the last one.
//
// # What a crash is here
//
// Kill breaks all connections at one moment, takes what is durable then, and goes
// on from that: the store in memory as it was, the data directory as a copy. So
// everything acknowledged is there, everything else is gone, and the next start
// recovers as after a real kill -9. Three things differ. Go cannot end the
// goroutines of a handler: code that ignores its context goes on, although
// nothing it does through its context counts. The memory of the program is not
// cleared, so variables that handlers share with the test survive. And it is not
// a power cut: what the system has not written to the disk yet is not lost.
//
// # What must not be here
//
// Only tests import this package; it imports testing. What a handler sees does
// not depend on it: there is no mock in it.
package dormousetest
