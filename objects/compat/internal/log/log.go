package log

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/objects/logging"
)

// LevelTrace is below slog.LevelDebug.
const LevelTrace slog.Level = -8

// Error is the attribute err with the text of err.
func Error(err error) slog.Attr { return slog.String("err", err.Error()) }

// Stringer is an attribute whose text is asked for when the record is written.
func Stringer[T fmt.Stringer](key string, value T) slog.Attr {
	return slog.Any(key, lazyText(value.String))
}

// Type is an attribute with the name of the type of value.
func Type(key string, value any) slog.Attr {
	return slog.Any(key, lazyText(func() string { return fmt.Sprintf("%T", value) }))
}

// lazyText is a text that is made when a record is written.
type lazyText func() string

// LogValue implements slog.LogValuer.
func (t lazyText) LogValue() slog.Value { return slog.StringValue(t()) }

// NewRestateContextHandler returns a handler that tells inner that a record is
// one of the runtime.
func NewRestateContextHandler(inner slog.Handler) slog.Handler {
	var p atomic.Pointer[logging.LogContext]
	p.Store(&logging.LogContext{Source: logging.LogSourceRestate})
	return &sourceHandler{Handler: inner, logContext: &p}
}

// NewUserContextHandler returns a handler that tells inner what logContext holds
// at that moment. With dropReplay it drops what is logged during replay.
func NewUserContextHandler(logContext *atomic.Pointer[logging.LogContext], dropReplay bool, inner slog.Handler) slog.Handler {
	return &sourceHandler{Handler: inner, logContext: logContext, dropReplay: dropReplay}
}

// sourceHandler puts a LogContext into the context of each record. It may be used
// concurrently.
type sourceHandler struct {
	slog.Handler
	logContext *atomic.Pointer[logging.LogContext]
	dropReplay bool
}

// Enabled implements slog.Handler.
func (h *sourceHandler) Enabled(ctx context.Context, level slog.Level) bool {
	lc := h.logContext.Load()
	if h.dropReplay && lc != nil && lc.IsReplaying {
		return false
	}
	return h.Handler.Enabled(logging.WithLogContext(ctx, lc), level)
}

// Handle implements slog.Handler.
func (h *sourceHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(logging.WithLogContext(ctx, h.logContext.Load()), r)
}

// WithAttrs implements slog.Handler.
func (h *sourceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sourceHandler{h.Handler.WithAttrs(attrs), h.logContext, h.dropReplay}
}

// WithGroup implements slog.Handler.
func (h *sourceHandler) WithGroup(name string) slog.Handler {
	return &sourceHandler{h.Handler.WithGroup(name), h.logContext, h.dropReplay}
}
