// Package layers holds the tests that keep the house in order. It has no code
// of its own.
//
// The tests parse every source of the module inside the test process, so that
// the test cache sees each file that was read, and check:
//
//   - a package stands in the table of layers and imports only layers below its
//     own; layers and their order are data in table_test.go
//   - Echo, Badger and Proto.Actor are each imported by one package
//   - the pure packages import neither clock, disk, network nor randomness
//   - package actors starts goroutines in scheduler.go only
//   - no test sleeps
//   - files, functions and package comments keep to the style guide
//   - exported names of the packages that programs import have a doc comment,
//     methods of interfaces and fields of structs included
//
// The import rules hold for the sources of a package and for tests inside it.
// An external test package is a user and may look from above. A nested module
// has its own rules for imports; length and sleep are checked there too.
//
// Every rule has a row in rules_test.go that breaks it.
package layers
