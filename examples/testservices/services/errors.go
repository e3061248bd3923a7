package services

import (
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Codes of terminal errors.
const (
	codeBadRequest restate.Code = 400
	codeNotFound   restate.Code = 404
	codeCancelled  restate.Code = 409
)

func notFound(format string, a ...any) restate.TerminalError {
	return terminal(codeNotFound, format, a)
}

func badRequest(format string, a ...any) restate.TerminalError {
	return terminal(codeBadRequest, format, a)
}

func terminal(code restate.Code, format string, a []any) restate.TerminalError {
	return restate.ToTerminalError(fmt.Errorf(format, a...), restate.WithErrorCode(code))
}
