// Package restate lets a program that was written for Restate's Go SDK 1.2 run
// on Dormouse without a change of its text. Its module has the name of that SDK,
// so that a replace line in go.mod puts it in the SDK's place:
//
//	replace github.com/restatedev/sdk-go => github.com/dormouse-run/dormouse/objects/compat v0.1.0
//
// Everything here stands for a name of github.com/dormouse-run/dormouse/objects
// and of the packages below it: types are aliases, functions call the function
// of the same name. A value from here is a value from there, so a program may use
// both, for example to take what only Dormouse has.
//
// # What must not be here
//
// Behaviour. A name that needs more than one line belongs into the package that
// it stands for. Names that Restate's SDK does not have are not added.
package restate
