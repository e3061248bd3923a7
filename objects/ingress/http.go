package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Headers that the ingress and this client exchange.
const (
	headerID             = "X-Restate-Id"
	headerErrorSource    = "X-Restate-Error-Source"
	headerIdempotencyKey = "Idempotency-Key"
	headerContentType    = "Content-Type"
	headerAuthorization  = "Authorization"
)

// httpTransport is a Transport over HTTP. It is not changed once its client was
// made.
type httpTransport struct {
	base, admin           string
	authKey, adminAuthKey string
	client                *http.Client
}

func (t *httpTransport) Call(ctx context.Context, r Request) (Response, error) {
	return t.ingress(ctx, http.MethodPost, invocationPath(r), r.Body, headers(r), invocationFailed)
}

func (t *httpTransport) Send(ctx context.Context, r Request) (Sent, error) {
	path := invocationPath(r) + "/send"
	if r.Delay != nil {
		path += "?delay=" + delayText(*r.Delay)
	}
	response, err := t.ingress(ctx, http.MethodPost, path, r.Body, headers(r), anyAnswer)
	if err != nil {
		return Sent{}, err
	}
	var accepted struct {
		InvocationID string `json:"invocationId"`
		Status       string `json:"status"`
	}
	if err := json.Unmarshal(response.Body, &accepted); err != nil {
		return Sent{}, fmt.Errorf("read the answer of the ingress: %w", err)
	}
	return Sent{InvocationID: accepted.InvocationID, Status: accepted.Status}, nil
}

func (t *httpTransport) Attach(ctx context.Context, invocationID string) (Response, error) {
	return t.ingress(ctx, http.MethodGet, "/restate/invocation/"+segment(invocationID)+"/attach", nil, nil, anyAnswer)
}

func (t *httpTransport) Output(ctx context.Context, invocationID string) (Response, error) {
	return t.ingress(ctx, http.MethodGet, "/restate/invocation/"+segment(invocationID)+"/output", nil, nil, anyAnswer)
}

func (t *httpTransport) Complete(ctx context.Context, awakeableID string, value []byte, reason error) error {
	verb, body := completion(value, reason)
	_, err := t.ingress(ctx, http.MethodPost, "/restate/awakeables/"+segment(awakeableID)+verb, body, nil, anyAnswer)
	return err
}

func (t *httpTransport) Signal(ctx context.Context, invocationID, name string, value []byte, reason error) error {
	verb, body := completion(value, reason)
	_, err := t.ingress(ctx, http.MethodPost, "/restate/signals/"+segment(invocationID)+"/"+segment(name)+verb, body, nil, anyAnswer)
	return err
}

// completion returns how a value, or a reason, goes over HTTP.
func completion(value []byte, reason error) (verb string, body []byte) {
	if reason != nil {
		return "/reject", []byte(messageOf(reason))
	}
	return "/resolve", value
}

func (t *httpTransport) Operate(ctx context.Context, op Operation, invocationID string) error {
	_, err := t.atAdmin(ctx, http.MethodPatch, "/invocations/"+segment(invocationID)+"/"+op.String(), nil)
	return err
}

func (t *httpTransport) Restart(ctx context.Context, invocationID string, from uint32) (newID string, err error) {
	path := "/invocations/" + segment(invocationID) + "/restart-as-new"
	if from > 0 {
		path += "?from=" + strconv.FormatUint(uint64(from), 10)
	}
	response, err := t.atAdmin(ctx, http.MethodPatch, path, nil)
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"new_invocation_id"`
	}
	if err := json.Unmarshal(response.Body, &made); err != nil {
		return "", fmt.Errorf("read the answer of the admin port: %w", err)
	}
	return made.ID, nil
}

func (t *httpTransport) EditState(ctx context.Context, p StatePatch) error {
	patch := struct {
		Key     string              `json:"object_key"`
		Version string              `json:"version,omitempty"`
		State   map[string][]uint16 `json:"new_state"` // json writes []byte as text
	}{p.Key, p.Version, make(map[string][]uint16, len(p.State))}
	for name, value := range p.State {
		numbers := make([]uint16, len(value))
		for i, b := range value {
			numbers[i] = uint16(b)
		}
		patch.State[name] = numbers
	}
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = t.atAdmin(ctx, http.MethodPost, "/services/"+segment(p.Service)+"/state", body)
	return err
}

func (t *httpTransport) atAdmin(ctx context.Context, method, path string, body []byte) (Response, error) {
	if t.admin == "" {
		return Response{}, errNoAdmin
	}
	var h http.Header
	if body != nil {
		h = http.Header{headerContentType: {"application/json"}}
	}
	return t.do(ctx, method, t.admin+path, body, h, t.adminAuthKey, anyAnswer)
}

func (t *httpTransport) ingress(ctx context.Context, method, path string, body []byte, h http.Header, source errorKind) (Response, error) {
	return t.do(ctx, method, t.base+path, body, h, t.authKey, source)
}

// do sends one request and reads its answer.
func (t *httpTransport) do(ctx context.Context, method, address string, body []byte, h http.Header, authKey string, source errorKind) (Response, error) {
	if !strings.Contains(address, "://") {
		host, _, _ := strings.Cut(address, "/")
		return Response{}, fmt.Errorf("the address %q of the runtime: %w", host, errNoScheme)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	if h != nil {
		request.Header = h
	}
	if authKey != "" {
		request.Header.Set(headerAuthorization, "Bearer "+authKey)
	}
	response, err := t.client.Do(request)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	if err != nil {
		return Response{}, fmt.Errorf("read the answer of the runtime: %w", err)
	}
	if response.StatusCode > 299 || response.Header.Get(headerErrorSource) != "" {
		return Response{}, errorOf(response, answered, source)
	}
	return Response{InvocationID: response.Header.Get(headerID), Body: answered}, nil
}

func invocationPath(r Request) string {
	if r.Keyed {
		return "/" + segment(r.Service) + "/" + segment(r.Key) + "/" + segment(r.Handler)
	}
	return "/" + segment(r.Service) + "/" + segment(r.Handler)
}

// segment escapes s as one segment of a path. Dots are escaped where a path
// would otherwise be taken for a relative one.
func segment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// delayText writes d for the query, without losing precision.
func delayText(d time.Duration) string {
	if d%time.Millisecond == 0 {
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	}
	return strconv.FormatInt(d.Nanoseconds(), 10) + "ns"
}

func headers(r Request) http.Header {
	h := make(http.Header, len(r.Headers)+2)
	if r.ContentType != "" {
		h.Set(headerContentType, r.ContentType)
	}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	if r.IdempotencyKey != "" {
		h.Set(headerIdempotencyKey, r.IdempotencyKey)
	}
	return h
}

// messageOf returns the text of a rejection.
func messageOf(reason error) string {
	if t := restate.AsTerminalError(reason); t != nil {
		return t.Message()
	}
	return reason.Error()
}
