package httpapi

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
)

const (
	headerAuthorization   = "Authorization"
	headerWWWAuthenticate = "Www-Authenticate"
)

// Tokens are bearer tokens, each of which opens a part of a port. There may be
// several, so that callers can move from one to the next.
type Tokens struct {
	// List holds tokens.
	List []string
	// File names a file with one token per line; empty lines and lines that
	// start with # do not count. It is read again when it changes. A file
	// without a token is an error.
	File string
	// Open asks for no token although the ingress does. It is for
	// AwakeableTokens.
	Open bool
}

// set reports whether anything is said.
func (t Tokens) set() bool { return len(t.List) > 0 || t.File != "" || t.Open }

// tokens knows the hashes of the tokens of one part of a port; nil is open. It
// keeps no token.
type tokens struct {
	list []tokenHash
	file *watched[[]tokenHash]
}

type tokenHash [sha256.Size]byte

// newTokens returns nil when t asks for no token.
func newTokens(part string, t Tokens, log *slog.Logger) (*tokens, error) {
	switch {
	case t.Open && (len(t.List) > 0 || t.File != ""):
		return nil, fmt.Errorf("tokens of the %s: Open is set and there are tokens: remove one of the two", part)
	case !t.set() || t.Open:
		return nil, nil
	}
	list, err := hashTokens(t.List)
	if err != nil {
		return nil, fmt.Errorf("tokens of the %s: %w", part, err)
	}
	checked := &tokens{list: list}
	if t.File == "" {
		return checked, nil
	}
	checked.file, err = watch(log, func() ([]tokenHash, error) {
		hashes, err := readTokens(t.File)
		if err != nil {
			return nil, fmt.Errorf("tokens of the %s: %w", part, err)
		}
		return hashes, nil
	}, t.File)
	return checked, err
}

func readTokens(path string) ([]tokenHash, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []string
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			list = append(list, string(line))
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no token: write one per line", path)
	}
	hashes, err := hashTokens(list)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return hashes, nil
}

var errToken = errors.New("is empty or has bytes that a bearer token cannot have: use letters, digits and -._~+/=")

func hashTokens(list []string) ([]tokenHash, error) {
	hashes := make([]tokenHash, len(list))
	for i, token := range list {
		if !bearer(token) {
			return nil, fmt.Errorf("token %d of %d %w", i+1, len(list), errToken)
		}
		hashes[i] = sha256.Sum256([]byte(token))
	}
	return hashes, nil
}

// bearer reports whether a request could carry the token.
func bearer(token string) bool {
	for i := range len(token) {
		c := token[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/=", c) >= 0 {
			continue
		}
		return false
	}
	return token != ""
}

// admit checks the token of r and takes it out, so that no handler sees it. It
// compares hashes, all of them, so that the time it takes tells nothing about a
// token, its length or its place in the list.
func (t *tokens) admit(r *http.Request) *failure {
	if t == nil {
		return nil
	}
	given := r.Header[headerAuthorization]
	if len(given) != 1 {
		return unauthorized("this route needs the header Authorization: Bearer <token>, once")
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return unauthorized("this route needs the header Authorization: Bearer <token>")
	}
	hash := tokenHash(sha256.Sum256([]byte(strings.TrimSpace(token))))
	known := contains(t.list, &hash)
	if t.file != nil {
		known |= contains(t.file.get(), &hash)
	}
	if known == 0 {
		return unauthorized("the bearer token is not one of those that this route takes")
	}
	r.Header.Del(headerAuthorization)
	return nil
}

// contains returns 1 when hash is in the list, else 0.
func contains(list []tokenHash, hash *tokenHash) int {
	found := 0
	for i := range list {
		found |= subtle.ConstantTimeCompare(list[i][:], hash[:])
	}
	return found
}

func unauthorized(message string) *failure {
	f := fail(http.StatusUnauthorized, message)
	f.challenge = true
	return f
}

// ingressPart is a part of the ingress as far as tokens are concerned.
type ingressPart uint8

const (
	partIngress ingressPart = iota
	partAwakeables
	partHealth
)

// partOf tells by the path which tokens count. It reads a path as the routes
// do; whatever is no path belongs to the ingress.
func partOf(path string) ingressPart {
	seg, ok := split(path)
	if !ok || seg.part[0] != "restate" {
		return partIngress
	}
	switch seg.part[1] {
	case "awakeables", "a", "signals":
		return partAwakeables
	case "health":
		if seg.n == 2 {
			return partHealth
		}
	}
	return partIngress
}
