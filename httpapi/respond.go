package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Names of response headers, in the form in which net/http keeps them, so that
// setting one does not have to rewrite it.
const (
	headerRequestID     = "X-Request-Id"
	headerInvocation    = "X-Restate-Id"
	headerErrorSource   = "X-Restate-Error-Source"
	headerExpires       = "Idempotency-Expires"
	headerOutcome       = "X-Dormouse-Outcome"
	headerContentType   = "Content-Type"
	headerContentLength = "Content-Length"
	headerRetryAfter    = "Retry-After"
	headerAllow         = "Allow"
)

// Layouts of times in answers.
const (
	layoutExpires   = "2006-01-02T15:04:05.000-07:00"
	layoutExecution = "2006-01-02T15:04:05.000000000Z"
)

func set(w http.ResponseWriter, name, value string) { w.Header()[name] = []string{value} }

// always is the value of a header that many answers have. They share it: it has
// no room, so that who adds a value in front of us adds it to a copy.
type always []string

func newAlways(value string) always { return always{value} }

func (a always) set(w http.ResponseWriter, name string) { w.Header()[name] = a }

// setRequestID and setInvocation set the headers that all answers have which say
// that something was accepted; both are in one piece of memory, which belongs to
// the answer.
func (x *exchange) setRequestID(id string) {
	x.ids = &[2]string{id}
	x.w.Header()[headerRequestID] = x.ids[0:1:1]
}

func (x *exchange) setInvocation(id string) {
	x.ids[1] = id
	x.w.Header()[headerInvocation] = x.ids[1:2:2]
}

// chunkedFrom is the length, in bytes, past which net/http sends a body whose
// length it is not told in chunks: what is shorter it counts itself.
const chunkedFrom = 2048

// writeBody sends status and body.
func (s *Server) writeBody(w http.ResponseWriter, status int, body []byte) error {
	// A client that stops reading must not hold a goroutine. Twice, because
	// net/http may first wait for the rest of a body that nobody has read.
	// Recorders of tests have no deadline, which does no harm.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * s.opts.TransferTimeout))
	if len(body) > chunkedFrom {
		set(w, headerContentLength, strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if len(body) == 0 {
		return nil
	}
	if _, err := w.Write(body); err != nil {
		return errNoAnswer
	}
	return nil
}

// writeJSON sends body as JSON.
func (s *Server) writeJSON(w http.ResponseWriter, status int, body []byte) error {
	s.isJSON.set(w, headerContentType)
	return s.writeBody(w, status, body)
}

// writeResult sends the result of an invocation as the rule of its handler says.
func (s *Server) writeResult(x *exchange, r actors.Response, rule outputRule) error {
	if r.Result.Kind == journal.ResultFailure {
		return ofResult(r)
	}
	x.setInvocation(r.ID.String())
	setExpires(x.w, r.ExpiresAt)
	if rule.contentType != nil && (len(r.Result.Value) > 0 || rule.ifEmpty) {
		rule.contentType.set(x.w, headerContentType)
	} else {
		// Without this net/http would guess a type from the bytes.
		x.w.Header()[headerContentType] = nil
	}
	return s.writeBody(x.w, http.StatusOK, r.Result.Value)
}

func setExpires(w http.ResponseWriter, at time.Time) {
	if !at.IsZero() {
		set(w, headerExpires, at.UTC().Format(layoutExpires))
	}
}

// writeAccepted answers a send. startAt is zero for one without a delay.
func (s *Server) writeAccepted(x *exchange, a actors.Accepted, startAt time.Time) error {
	id := a.ID.String()
	x.setInvocation(id)
	b := make([]byte, 0, 160)
	b = append(b, `{"invocationId":"`...)
	b = append(b, id...)
	if !startAt.IsZero() {
		b = append(b, `","executionTime":"`...)
		b = startAt.UTC().AppendFormat(b, layoutExecution)
	}
	b = append(b, `","status":"`...)
	if a.Previously {
		b = append(b, `PreviouslyAccepted"}`...)
	} else {
		b = append(b, `Accepted"}`...)
	}
	return s.writeJSON(x.w, http.StatusAccepted, b)
}

// ingressError is the error body of the ingress, in the order of its fields.
type ingressError struct {
	Code     int               `json:"code"`
	Message  string            `json:"message"`
	Stack    string            `json:"stacktrace,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Source   string            `json:"source"`
}

// adminError is the error body of the admin port. Its second field is for
// clients of Restate, which expect it.
type adminError struct {
	Message     string  `json:"message"`
	RestateCode *string `json:"restate_code"`
}

// writeIngressFailure sends f as the ingress does.
func (s *Server) writeIngressFailure(w http.ResponseWriter, f *failure) error {
	set(w, headerErrorSource, f.source.String())
	if f.id != (ident.InvocationID{}) {
		set(w, headerInvocation, f.id.String())
	}
	setExpires(w, f.expiresAt)
	setHints(w, f)
	body := ingressError{Code: f.code, Message: f.message, Stack: f.stack, Source: f.source.String()}
	if len(f.metadata) > 0 {
		body.Metadata = make(map[string]string, len(f.metadata))
		for _, h := range f.metadata {
			body.Metadata[h.Key] = h.Value
		}
	}
	b, err := encodeJSON(body)
	if err != nil {
		return err
	}
	return s.writeJSON(w, f.status, b)
}

// writeAdminFailure sends f as the admin port does.
func (s *Server) writeAdminFailure(w http.ResponseWriter, f *failure) error {
	setHints(w, f)
	b, err := encodeJSON(adminError{Message: f.message})
	if err != nil {
		return err
	}
	return s.writeJSON(w, f.status, b)
}

// setHints sets the headers that tell a client what to do next.
func setHints(w http.ResponseWriter, f *failure) {
	if f.retryAfter > 0 {
		seconds := (f.retryAfter + time.Second - 1) / time.Second
		set(w, headerRetryAfter, strconv.FormatInt(int64(seconds), 10))
	}
	if f.challenge {
		set(w, headerWWWAuthenticate, "Bearer")
	}
	// An empty list is one too; what the router has set stays.
	if f.status == http.StatusMethodNotAllowed && w.Header()[headerAllow] == nil {
		set(w, headerAllow, f.allow)
	}
}

// writeView answers 200 with a value as JSON.
func (s *Server) writeView(c echo.Context, v any) error {
	body, err := encodeJSON(v)
	if err != nil {
		return fmt.Errorf("describe %s: %w", c.Request().URL.Path, err)
	}
	return s.writeJSON(c.Response(), http.StatusOK, body)
}

// encodeJSON encodes v compactly and leaves <, > and & as they are.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
