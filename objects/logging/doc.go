// Package logging tells a slog.Handler where a record comes from: from the
// runtime or from user code, and whether a handler is being replayed.
//
// The runtime puts a LogContext into the context of each record it logs for an
// invocation; a slog.Handler reads it with LogContextFrom. The package must not
// know anything else.
package logging
