package restate

import "github.com/dormouse-run/dormouse/objects"

// Code is the code of an error, with the meaning of an HTTP status.
type Code = objects.Code

// TerminalError is an error that ends an invocation.
type TerminalError = objects.TerminalError

// TerminalErrorOption changes a terminal error.
type TerminalErrorOption = objects.TerminalErrorOption

// RetryableError is an error that fails an attempt, with a code of its own.
type RetryableError = objects.RetryableError

// RetryableErrorOption changes a retryable error.
type RetryableErrorOption = objects.RetryableErrorOption

// ErrorCodeOption sets the code of an error.
type ErrorCodeOption = objects.ErrorCodeOption

// ToTerminalError returns err as a terminal error, nil for nil.
func ToTerminalError(err error, opts ...TerminalErrorOption) TerminalError {
	return objects.ToTerminalError(err, opts...)
}

// TerminalErrorf formats a terminal error with code 500.
func TerminalErrorf(format string, a ...any) TerminalError {
	return objects.TerminalErrorf(format, a...)
}

// IsTerminalError reports whether err is or wraps a terminal error.
func IsTerminalError(err error) bool { return objects.IsTerminalError(err) }

// AsTerminalError returns the terminal error that err is or wraps, or nil.
func AsTerminalError(err error) TerminalError { return objects.AsTerminalError(err) }

// ToRetryableError returns err as a retryable error, nil for nil.
func ToRetryableError(err error, opts ...RetryableErrorOption) RetryableError {
	return objects.ToRetryableError(err, opts...)
}

// RetryableErrorf formats a retryable error.
func RetryableErrorf(format string, a ...any) RetryableError {
	return objects.RetryableErrorf(format, a...)
}

// IsRetryableError reports whether err is or wraps a retryable error.
func IsRetryableError(err error) bool { return objects.IsRetryableError(err) }

// AsRetryableError returns the retryable error that err is or wraps, or nil.
func AsRetryableError(err error) RetryableError { return objects.AsRetryableError(err) }

// WithErrorCode sets the code of a terminal or retryable error.
func WithErrorCode(code Code) ErrorCodeOption { return objects.WithErrorCode(code) }

// WithMetadata adds one name and value to a terminal error, a service or a
// handler.
func WithMetadata(metadataKey string, metadataValue string) objects.MetadataOption {
	return objects.WithMetadata(metadataKey, metadataValue)
}

// WithMetadataMap adds all names and values of metadata.
func WithMetadataMap(metadata map[string]string) objects.MetadataOption {
	return objects.WithMetadataMap(metadata)
}
