package httpapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// Request headers that mean something here, in the form of net/http.
const (
	headerIdempotencyKey = "Idempotency-Key"
	headerLimitKey       = "X-Restate-Limit-Key"
	headerHost           = "Host"
	headerConnection     = "Connection"
)

// nameIngressPath is the header that tells a handler the path and query of its
// request.
const nameIngressPath = "x-restate-ingress-path"

// maxHeaderBytes bounds all headers of a request together. The path counts,
// since a handler sees it as one.
const maxHeaderBytes = 64 << 10

// maxWireBytes is how much net/http reads before it answers 431 in its own
// words: more, so that what is a little too large is told so in JSON.
const maxWireBytes = 2 * maxHeaderBytes

// boundHeaders refuses a request whose headers are too large.
func boundHeaders(r *http.Request) *failure {
	total := len(nameIngressPath) + len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			total += len(name) + len(v)
		}
	}
	if total > maxHeaderBytes {
		return fail(http.StatusRequestHeaderFieldsTooLarge, "path and headers are larger than 64 KiB")
	}
	return nil
}

// handlerHeaders returns what the handler sees of the headers of r: names in
// lower case and sorted, the first of repeated values, without those that are
// for this server. They become part of the stored input.
func handlerHeaders(r *http.Request, pathAndQuery string) ([]journal.Header, *failure) {
	headers := make([]journal.Header, 0, len(r.Header)+1)
	for name, values := range r.Header {
		for _, v := range values {
			if !printable(v) {
				return nil, badRequest("the value of header " + strings.ToLower(name) + " has bytes that are not printable ASCII")
			}
		}
		if len(values) > 0 && !consumed(name) {
			headers = append(headers, journal.Header{Key: lowerName(name), Value: values[0]})
		}
	}
	headers = append(headers, journal.Header{Key: nameIngressPath, Value: pathAndQuery})
	slices.SortFunc(headers, func(a, b journal.Header) int { return cmp.Compare(a.Key, b.Key) })
	return headers, nil
}

// consumed reports whether a header is for this server and not for the handler.
func consumed(name string) bool {
	switch name {
	case headerConnection, headerHost, headerIdempotencyKey, headerExpires, "X-Restate-Ingress-Path":
		return true
	default:
		return false
	}
}

// lowerName returns a header name in lower case, for the usual ones without a
// new string.
func lowerName(name string) string {
	switch name {
	case "Accept":
		return "accept"
	case "Accept-Encoding":
		return "accept-encoding"
	case "Accept-Language":
		return "accept-language"
	case "Authorization":
		return "authorization"
	case "Content-Length":
		return "content-length"
	case "Content-Type":
		return "content-type"
	case "Traceparent":
		return "traceparent"
	case "User-Agent":
		return "user-agent"
	case "X-Forwarded-For":
		return "x-forwarded-for"
	case "X-Request-Id":
		return "x-request-id"
	default:
		return strings.ToLower(name)
	}
}

// first returns the first value of a header, "" when there is none.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
