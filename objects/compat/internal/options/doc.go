// Package options has the options under the path that modules of Restate's
// repository import: examples, test services and tools. Programs use the names
// of package restate.
//
// Option interfaces are sealed here, so the structs that they filled are not
// there: nobody could fill them.
package options
