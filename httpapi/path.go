package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds of an ingress path: how many slashes it has once a trailing one is
// dropped, and how long its parts are after decoding.
const (
	minSegments  = 2
	maxSegments  = 7
	maxKeyBytes  = 1024
	maxNameBytes = 255
)

// segments are the parts of a raw path between its slashes, as received: not
// decoded, not cleaned, empty ones included.
type segments struct {
	part [maxSegments]string
	n    int
}

// all returns the parts.
func (s *segments) all() []string { return s.part[:s.n] }

// split cuts a raw path. It reports false for a path with too few or too many
// slashes. One trailing slash does not count, so the empty key of an object is
// written as two slashes in a row.
func split(path string) (s segments, ok bool) {
	if path == "" || path[0] != '/' {
		return s, false
	}
	rest := strings.TrimSuffix(path, "/")
	for rest != "" {
		if s.n == maxSegments {
			return s, false
		}
		rest = rest[1:]
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		s.part[s.n] = rest[:end]
		s.n++
		rest = rest[end:]
	}
	return s, s.n >= minSegments
}

// rawPath returns the path of r as the client wrote it, and the path together
// with the query. net/http has already refused invalid percent escapes. Behind
// http.StripPrefix the request line has more than what is left for us; then the
// path is escaped again.
func rawPath(r *http.Request) (path, withQuery string) {
	path, _, _ = strings.Cut(r.RequestURI, "?")
	if path == r.URL.Path {
		return path, r.RequestURI
	}
	if decoded, err := url.PathUnescape(path); err == nil && decoded == r.URL.Path {
		return path, r.RequestURI
	}
	path, _, _ = strings.Cut(r.URL.RequestURI(), "?")
	return path, r.URL.RequestURI()
}

// decodeKey decodes the percent escapes of a key. A plus stays a plus.
func decodeKey(segment string) (string, *failure) {
	key := segment
	if strings.IndexByte(segment, '%') >= 0 {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return "", badRequest("the key in the path has a broken percent escape")
		}
		key = decoded
	}
	switch {
	case !utf8.ValidString(key):
		return "", badRequest("the key in the path is not valid UTF-8")
	case len(key) > maxKeyBytes:
		return "", badRequest("the key in the path is longer than 1024 bytes")
	}
	return key, nil
}

// queryParams holds the parameters that the ingress knows. Others are ignored.
type queryParams struct {
	delay    string
	hasDelay bool
	hasLimit bool
}

// parseQuery reads the parameters out of a raw query. The first delay counts;
// a parameter whose escapes are broken is ignored like an unknown one.
func parseQuery(raw string) (q queryParams) {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			continue
		}
		switch {
		case strings.EqualFold(name, "delay") && !q.hasDelay:
			q.hasDelay = true
			if value, err = url.QueryUnescape(value); err == nil {
				q.delay = value
			}
		case strings.EqualFold(name, "limit-key"):
			q.hasLimit = true
		}
	}
	return q
}
