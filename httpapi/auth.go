package httpapi

import (
	"fmt"
	"log/slog"

	"github.com/dormouse-run/dormouse/internal/guard"
)

const headerWWWAuthenticate = "Www-Authenticate"

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

// newTokens returns nil when t asks for no token.
func newTokens(part string, t Tokens, log *slog.Logger) (*guard.Tokens, error) {
	switch {
	case t.Open && (len(t.List) > 0 || t.File != ""):
		return nil, fmt.Errorf("tokens of the %s: Open is set and there are tokens: remove one of the two", part)
	case !t.set() || t.Open:
		return nil, nil
	}
	return guard.NewTokens(part, t.List, t.File, log)
}

// ingressPart is a part of the ingress as far as tokens are concerned.
type ingressPart uint8

const (
	partIngress ingressPart = iota
	partAwakeables
	partHealth
)

// part tells by the path which tokens count. Whatever is no path belongs to the
// ingress.
func (x *exchange) part() ingressPart {
	if !x.formed || x.seg.part[0] != "restate" {
		return partIngress
	}
	switch x.seg.part[1] {
	case "awakeables", "a", "signals":
		return partAwakeables
	case "health":
		if x.seg.n == 2 {
			return partHealth
		}
	}
	return partIngress
}
