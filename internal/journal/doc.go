// Package journal is the vocabulary of journal entries: commands, which a
// handler issues, and notifications, which answer them.
//
// The bodies are the protobuf messages of Restate's service protocol, version
// 6, byte for byte, so that an invocation begun by an embedded handler can be
// continued by a remote one. A body is never rewritten after it was appended:
// hosts compare bodies on replay. What the engine or the host wants to remember
// beside a body stands in the entry's sidecar.
//
// Commands and notifications of one invocation share one append-only sequence.
// An entry's index is its position from 0; its command index counts commands
// only, the Input being command 0.
//
// The package knows no clock, no store and no handler.
package journal
