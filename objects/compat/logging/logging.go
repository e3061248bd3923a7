package logging

import (
	"context"

	"github.com/dormouse-run/dormouse/objects/logging"
)

// Sources of a record, for LogContext.Source.
const (
	// LogSourceRestate is the runtime.
	LogSourceRestate = logging.LogSourceRestate
	// LogSourceUser is the logger that a handler got from its context.
	LogSourceUser = logging.LogSourceUser
)

// LogSource says who logged a record.
type LogSource = logging.LogSource

// LogContext describes where a record comes from.
type LogContext = logging.LogContext

// WithLogContext returns a copy of parent that carries logContext.
func WithLogContext(parent context.Context, logContext *LogContext) context.Context {
	return logging.WithLogContext(parent, logContext)
}

// LogContextFrom returns what WithLogContext put into ctx, else nil.
func LogContextFrom(ctx context.Context) *LogContext { return logging.LogContextFrom(ctx) }
