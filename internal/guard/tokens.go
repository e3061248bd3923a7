package guard

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

const headerAuthorization = "Authorization"

// Tokens knows the hashes of the tokens of one part of a port; nil is open. It
// keeps no token. It may be used concurrently.
type Tokens struct {
	list []tokenHash
	file *watched[[]tokenHash]
}

type tokenHash [sha256.Size]byte

// NewTokens takes the tokens of a part of a port, which errors name: those of the
// list, and those of the file, if one is named. It returns an error when one of
// them is no bearer token, or the file has none.
func NewTokens(part string, list []string, file string, log *slog.Logger) (*Tokens, error) {
	hashes, err := hashTokens(list)
	if err != nil {
		return nil, fmt.Errorf("tokens of the %s: %w", part, err)
	}
	checked := &Tokens{list: hashes}
	if file == "" {
		return checked, nil
	}
	checked.file, err = watch(log, func() ([]tokenHash, error) {
		hashes, err := readTokens(file)
		if err != nil {
			return nil, fmt.Errorf("tokens of the %s: %w", part, err)
		}
		return hashes, nil
	}, file)
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

// Admit checks the token of r and takes it out, so that no handler sees it. It
// compares hashes, all of them, so that the time it takes tells nothing about a
// token, its length or its place in the list. Its error is a *TokenError.
func (t *Tokens) Admit(r *http.Request) error {
	if t == nil {
		return nil
	}
	given := r.Header[headerAuthorization]
	if len(given) != 1 {
		return tokenMissing("this route needs the header Authorization: Bearer <token>, once")
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return tokenMissing("this route needs the header Authorization: Bearer <token>")
	}
	hash := tokenHash(sha256.Sum256([]byte(strings.TrimSpace(token))))
	known := contains(t.list, &hash)
	if t.file != nil {
		known |= contains(t.file.get(), &hash)
	}
	if known == 0 {
		return tokenMissing("the bearer token is not one of those that this route takes")
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

// TokenError is the error of a request whose token does not count. Its text is
// for the client and repeats nothing that came.
type TokenError struct{ message string }

// Error implements error.
func (e *TokenError) Error() string { return e.message }

func tokenMissing(message string) error { return &TokenError{message} }
