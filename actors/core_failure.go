package actors

import (
	"errors"
	"fmt"
	"log/slog"
)

// coreFailure is a panic of the core. Its text goes to callers, so the stack is
// not in it.
type coreFailure struct {
	event, value any
	stack        []byte
}

// Error implements error.
func (e *coreFailure) Error() string {
	return fmt.Sprintf("the core failed on a %T: %v", e.event, e.value)
}

// stackOf returns the stack that the log shows beside a cause, nothing when it
// has none.
func stackOf(cause error) slog.Attr {
	var core *coreFailure
	if errors.As(cause, &core) {
		return slog.String("stack", string(core.stack))
	}
	return slog.Attr{}
}
