// Package log has small helpers for log/slog under the path that modules of
// Restate's repository import. Programs use log/slog and package logging.
package log
