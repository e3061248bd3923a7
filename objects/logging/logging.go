package logging

import "context"

// Sources of a record, for LogContext.Source.
const (
	// LogSourceRestate is the runtime.
	LogSourceRestate = iota
	// LogSourceUser is the logger that a handler got from its context.
	LogSourceUser
)

// LogSource says who logged a record.
type LogSource int

// String returns the word for s.
func (s LogSource) String() string {
	switch s {
	case LogSourceRestate:
		return "restate"
	case LogSourceUser:
		return "user"
	default:
		return "unknown"
	}
}

// LogContext describes where a record comes from. It is not changed once it is
// in a context.
type LogContext struct {
	// Source says who logged.
	Source LogSource
	// IsReplaying is true while a handler repeats what its journal holds.
	IsReplaying bool
}

type contextKey struct{}

// WithLogContext returns a copy of parent that carries logContext.
func WithLogContext(parent context.Context, logContext *LogContext) context.Context {
	return context.WithValue(parent, contextKey{}, logContext)
}

// LogContextFrom returns what WithLogContext put into ctx, else nil.
func LogContextFrom(ctx context.Context) *LogContext {
	l, _ := ctx.Value(contextKey{}).(*LogContext)
	return l
}
