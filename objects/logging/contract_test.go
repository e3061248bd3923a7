package logging_test

import (
	"context"

	"github.com/dormouse-run/dormouse/objects/logging"
)

// The names and signatures that programs are compiled against. The sources are
// untyped, so they fit any integer.
var (
	_ [0 - logging.LogSourceRestate]struct{}
	_ [1 - logging.LogSourceUser]struct{}

	_ uint8             = logging.LogSourceUser
	_ logging.LogSource = logging.LogSourceRestate
	_                   = logging.LogSource(0)
	_                   = logging.LogContext{Source: logging.LogSourceUser, IsReplaying: true}

	_ func(context.Context, *logging.LogContext) context.Context = logging.WithLogContext
	_ func(context.Context) *logging.LogContext                  = logging.LogContextFrom
)
