// Package nested holds the test that covers the modules nested in this one, which
// go test ./... leaves out. It has no code of its own.
//
// The test finds every go.mod below the root and runs go vet and go test in its
// directory. It reads the sources of all modules itself, so that the test cache
// sees each file: a cached result is one of these very sources. It is skipped with
// -short, and in a program with the race detector, which the nested tests would
// not be built with.
package nested
