package actors

import "errors"

// Causes with which the context of a Run is cancelled: context.Cause returns
// one of them, or objects.ErrCancelled.
var (
	// ErrKilled: the invocation was killed, or has ended otherwise.
	ErrKilled = errors.New("the invocation was killed")
	// ErrSuspended: the attempt was suspended.
	ErrSuspended = errors.New("the invocation was suspended")
	// ErrShutdown: the runtime stops. The next start runs the closure again.
	ErrShutdown = errors.New("the runtime is shutting down")
	// ErrAborted: the attempt has ended, or was given up.
	ErrAborted = errors.New("the attempt has ended")
)
