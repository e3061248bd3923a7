package actors

import (
	"log/slog"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// reportFailure logs a failed attempt: a warning while it will be tried again,
// an error when somebody has to look at it.
func (rt *Runtime) reportFailure(f *machine.AttemptFailed) {
	log := rt.logger.With(
		slog.String("invocation", f.ID.String()), slog.String("target", f.Target.String()),
		slog.Int("attempt", int(f.Attempts)), slog.Int("code", int(f.Failure.Code)), slog.String("error", f.Failure.Message))
	if f.Failure.CommandIndex >= 0 {
		log = log.With(slog.Int("command", int(f.Failure.CommandIndex)), slog.String("command_type", f.Failure.CommandType.String()))
	}
	switch f.Status {
	case machine.StatusBackingOff:
		log.Warn("an attempt has failed and will be repeated", "next", time.UnixMilli(f.NextAt).UTC().Format(time.RFC3339Nano))
	case machine.StatusPaused:
		log.Error("an attempt has failed and the invocation is paused, its key stays taken: resume it when the cause is mended, or kill it")
	default:
		log.Error("an attempt has failed and its retry policy has ended the invocation")
	}
}
