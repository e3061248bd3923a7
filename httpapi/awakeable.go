package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// codeRejected is the code that a handler sees when its awakeable is rejected
// from outside.
const codeRejected = 500

// Verbs of the routes that complete something.
const (
	verbResolve = "resolve"
	verbReject  = "reject"
)

// completeAwakeable serves /restate/awakeables/{id}/resolve|reject. What
// follows the verb is ignored.
func (s *Server) completeAwakeable(x *exchange, parts []string) error {
	if len(parts) < 2 {
		return badRequest("the path is /restate/awakeables/{id}/resolve or /reject")
	}
	if f := checkCompletion(x, parts[1]); f != nil {
		return f
	}
	id, err := ident.ParseAwakeableID(parts[0])
	if err != nil {
		return err
	}
	err = s.complete(x, id.Invocation, journal.SignalID(id.Index), parts[1])
	if errors.Is(err, actors.ErrUnknownInvocation) {
		return notFound("no invocation here has issued this awakeable id")
	}
	return err
}

// completeSignal serves /restate/signals/{invocation}/{name}/resolve|reject.
func (s *Server) completeSignal(x *exchange, parts []string) error {
	if len(parts) < 3 {
		return badRequest("the path is /restate/signals/{invocation}/{name}/resolve or /reject")
	}
	if f := checkCompletion(x, parts[2]); f != nil {
		return f
	}
	id, err := ident.ParseInvocationID(parts[0])
	if err != nil {
		return err
	}
	name, err := url.PathUnescape(parts[1])
	if err != nil || name == "" || len(name) > maxNameBytes || !utf8.ValidString(name) {
		return badRequest("the name of a signal is 1 to 255 bytes of UTF-8")
	}
	return s.complete(x, id, journal.NamedSignalID(name), parts[2])
}

func checkCompletion(x *exchange, verb string) *failure {
	if verb != verbResolve && verb != verbReject {
		return notFound("no such route")
	}
	return x.method(http.MethodPost)
}

// complete stores an answer. Bytes are delivered as they came; the reason of a
// rejection is text, and never read as JSON.
func (s *Server) complete(x *exchange, id ident.InvocationID, signal journal.NotificationID, verb string) error {
	body, err := s.readBodyBy(&x.body, x.conn, x.r)
	if err != nil {
		return err
	}
	if body == nil {
		body = []byte{}
	}
	result := journal.ValueOf(body)
	if verb == verbReject {
		result = journal.FailureOf(codeRejected, strings.ToValidUTF8(string(body), "\uFFFD"))
	}
	outcome, err := s.rt.Signal(x.r.Context(), id, signal, result)
	if err != nil {
		return err
	}
	set(x.w, headerOutcome, outcome.String())
	x.w.Header()[headerContentType] = nil
	return s.writeBody(x.w, http.StatusAccepted, nil)
}
