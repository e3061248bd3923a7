package objects

import (
	"context"
	"log/slog"

	"github.com/dormouse-run/dormouse/objects/logging"
)

// Log returns the logger of the invocation.
func (ex *execution) Log() *slog.Logger {
	ex.loggerOnce.Do(func() {
		ex.logger = slog.New(&replayHandler{Handler: ex.attempt.logger().Handler(), ex: ex})
	})
	return ex.logger
}

// logger returns the logger of the attempt, one that drops everything when the
// host has given none.
func (a *Attempt) logger() *slog.Logger {
	if a.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.Logger
}

// replayHandler drops what a handler logs while its journal is replayed, since
// it was logged before, and tells the next handler where a record comes from. It
// may be used concurrently.
type replayHandler struct {
	slog.Handler
	ex *execution
}

// Enabled implements slog.Handler.
func (h *replayHandler) Enabled(ctx context.Context, level slog.Level) bool {
	if h.ex.replaying.Load() && !h.ex.attempt.LogReplay {
		return false
	}
	return h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *replayHandler) Handle(ctx context.Context, r slog.Record) error {
	if h.ex.replaying.Load() && !h.ex.attempt.LogReplay {
		return nil
	}
	ctx = logging.WithLogContext(ctx, &logging.LogContext{Source: logging.LogSourceUser, IsReplaying: h.ex.replaying.Load()})
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *replayHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &replayHandler{Handler: h.Handler.WithAttrs(attrs), ex: h.ex}
}

// WithGroup implements slog.Handler.
func (h *replayHandler) WithGroup(name string) slog.Handler {
	return &replayHandler{Handler: h.Handler.WithGroup(name), ex: h.ex}
}
