// Package storetest is the conformance suite of persistence.Store: what every
// store must do, told in the words of the interface. A store passes it with a
// Harness that can open it, and crash it.
//
// The suite must not know how a store works. What only the tests of one store
// can see, such as rows that are left over, is tested there.
package storetest
