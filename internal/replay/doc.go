// Package replay is what one attempt of a handler sees: first the journal, then
// new entries.
//
// A handler is stopped and run again from its beginning, any number of times.
// Each time it must read the same story up to the place it had reached. An
// Attempt tells that story. The host hands it every operation of the handler:
//
//	Issue    the operation writes a command. While stored commands are left,
//	         the next one must be this one; it is returned, with the result it
//	         may hold. Behind them the command is new, and the host appends it.
//	Await    the operation waits. It consumes stored and arrived notifications
//	         in the order of their entries, one at a time, until what it waits
//	         for is there. So the first run and every later one decide alike,
//	         also between futures that are done at the same time.
//	Next…    ids are handed out in the order of the operations. They are never
//	         stored for themselves: they come out the same because the
//	         operations do.
//
// # When the code has changed
//
// A command that differs from the stored one, a wait that the stored part of
// the journal cannot satisfy, and a count of signal indexes or random draws that
// differs from the one kept beside a command or a suspension are a Mismatch. It
// names both sides. After a mismatch the attempt must end without another entry.
//
// # What must not be here
//
// Nothing blocks, reads a clock, starts a goroutine or draws a random number;
// an Attempt belongs to the one goroutine that runs the handler. What a command
// does is the engine's business, what a value means the SDK's.
package replay
