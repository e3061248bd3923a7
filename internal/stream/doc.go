// Package stream turns what outputs of the core did into events, for whoever
// wants to follow invocations, keys, awakeables and promises as they change.
//
// Derive reads one machine.Output and says which events it makes; Ring keeps the
// latest of them and numbers them; Filter says which of them a subscriber wants.
// All three are plain data: nothing here blocks, reads a clock or starts a
// goroutine. What the core does not know (whether an attempt executes, what was
// announced before) is asked through Shell.
//
// # Laws
//
// The events of one output are numbered in a row, and those of one key in the
// order of its outputs. An event is a fact: whoever publishes it does so after
// the output is durable. Only that an attempt has started to execute, and that
// one waits in memory, is known to the process alone.
//
// # What must not be here
//
// No JSON and no HTTP: how an event is shown belongs to package httpapi. No
// subscribers and no locks: they belong to package actors.
package stream
