package actors

import "errors"

// errCrashed is why a runtime stops after Crash.
var errCrashed = errors.New("a test has ended the process")

// Crash lets a test end the runtime as the end of its process would: what is
// not durable is lost, requests that wait get an *OutcomeUnknownError, the
// contexts of closures are cancelled, and nothing of an attempt counts any
// more. Go cannot end goroutines, so code of handlers goes on until its next
// operation, and a commit that is under way may still become durable. It does
// not block, may be called again, and does not close the store: Close must
// follow, and returns errors that a process which is gone would not return.
func (rt *Runtime) Crash() { rt.crash(errCrashed) }
