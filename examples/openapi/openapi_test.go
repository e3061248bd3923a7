package openapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	invalid "github.com/pb33f/libopenapi-validator/errors"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

// order has a type that leads back to itself, one that is used twice, and one
// whose JSON is not what its fields suggest.
type order struct {
	ID      string            `json:"id" jsonschema:"example=o-1"`
	Lines   []line            `json:"lines"`
	Parent  *order            `json:"parent,omitempty"`
	At      time.Time         `json:"at"`
	Options map[string]string `json:"options,omitempty"`
}

type line struct {
	Article string `json:"article"`
	Count   int    `json:"count"`
}

type receipt struct {
	Order order   `json:"order"`
	Total float64 `json:"total"`
}

// shopServices has a handler for every codec and every kind of service.
func shopServices() []restate.ServiceDefinition {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	buy := func(_ restate.ObjectContext, o order) (receipt, error) { return receipt{Order: o, Total: 1.5}, nil }
	peek := func(_ restate.ObjectSharedContext, _ restate.Void) ([]line, error) { return []line{{"tea", 2}}, nil }
	refuse := func(_ restate.ObjectContext, n int) (int, error) {
		return 0, restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(422))
	}
	noted := func(_ restate.Context, _ order) (restate.Void, error) { return restate.Void{}, nil }
	raw := func(_ restate.Context, b []byte) ([]byte, error) { return b, nil }
	proto := func(_ restate.Context, v *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { return v, nil }
	whatever := func(_ restate.Context, _ any) (any, error) { return map[string]any{"at": at}, nil }
	run := func(_ restate.WorkflowContext, o order) (string, error) { return o.ID, nil }
	hidden := restate.WithIngressPrivate(true)
	return []restate.ServiceDefinition{
		restate.NewObject("Shop", restate.WithDocumentation("Sells things.")).
			Handler("buy", restate.NewObjectHandler(buy, restate.WithDocumentation("Buys what is ordered."))).
			Handler("peek", restate.NewObjectSharedHandler(peek)).
			Handler("refuse", restate.NewObjectHandler(refuse)).
			Handler("secret", restate.NewObjectHandler(refuse, hidden)),
		restate.NewService("Desk").
			Handler("note", restate.NewServiceHandler(noted)).
			Handler("raw", restate.NewServiceHandler(raw, restate.WithBinary)).
			Handler("proto", restate.NewServiceHandler(proto, restate.WithProto)).
			Handler("whatever", restate.NewServiceHandler(whatever)),
		restate.NewWorkflow("Delivery").Handler("run", restate.NewWorkflowHandler(run)),
		restate.NewService("Hidden", hidden).Handler("note", restate.NewServiceHandler(noted)),
	}
}

// house is a running program, where its ports are, and its token, if it has one.
type house struct{ ingress, admin, token string }

func openShop(t *testing.T, tokens ...string) house {
	t.Helper()
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	config := httpapi.Config{
		Dir: t.TempDir(), Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Logger: slog.New(slog.DiscardHandler), Ready: func(a httpapi.Addresses) { ready <- a },
		Safety: httpapi.Safety{IngressTokens: httpapi.Tokens{List: tokens}},
	}
	go func() { ended <- httpapi.Run(ctx, config, shopServices()...) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return house{"http://" + at.Ingress, "http://" + at.Admin, strings.Join(tokens, "")}
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
		return house{}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("content-type") != "application/json" {
		t.Fatalf("%s: %d %s, %v", url, resp.StatusCode, text, err)
	}
	return string(text)
}

// documentOf reads the document of a service, and checks it against the schema of
// OpenAPI 3.1.
func documentOf(t *testing.T, h house, service string) (libopenapi.Document, map[string]any) {
	t.Helper()
	text := get(t, h.admin+"/services/"+service+"/openapi")
	document, err := libopenapi.NewDocument([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatalf("%s: %v", service, errs)
	}
	if ok, problems := v.ValidateDocument(); !ok {
		t.Fatalf("%s is not valid: %s\n%s", service, describe(problems), text)
	}
	var plain map[string]any
	if err := json.Unmarshal([]byte(text), &plain); err != nil {
		t.Fatal(err)
	}
	return document, plain
}

func describe(problems []*invalid.ValidationError) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Message + ": " + p.Reason + "\n")
		for _, e := range p.SchemaValidationErrors {
			b.WriteString("  " + e.Reason + " at " + e.KeywordLocation + "\n")
		}
	}
	return b.String()
}

// bodies are what the handlers of shopServices take.
func bodies() map[string]string {
	const order = `{"id":"o-2","lines":[{"article":"tea","count":2}],"at":"2026-01-02T03:04:05Z","parent":{"id":"o-1","lines":[],"at":"2026-01-02T03:04:05Z"}}`
	return map[string]string{
		"Shop.buy": order, "Shop.refuse": "1", "Desk.note": order, "Desk.whatever": "[1]", "Desk.raw": "\x00\x01",
		"Desk.proto": "\x0a\x03tea", "Delivery.run": order, "reject": "too late", "resolve": `"yes"`,
	}
}

func TestEveryOperationOfADocumentWorksAndIsAnsweredAsItSays(t *testing.T) {
	t.Parallel()
	tryAll(t, openShop(t))
}

func TestADocumentSaysThatRequestsNeedAToken(t *testing.T) {
	t.Parallel()
	tryAll(t, openShop(t, "secret"))
}

func tryAll(t *testing.T, h house) {
	t.Helper()
	for service, want := range map[string]int{"Shop": 3*4 + 4, "Desk": 4*4 + 4, "Delivery": 4 + 4, "Hidden": 0} {
		document, plain := documentOf(t, h, service)
		v, errs := validator.NewValidator(document)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		n := 0
		paths := plain["paths"].(map[string]any)
		// A call comes before its send, and both before what asks for results.
		for _, path := range slices.SortedFunc(maps.Keys(paths), func(a, b string) int {
			return strings.Compare(strings.ReplaceAll(a, "/restate", "~"), strings.ReplaceAll(b, "/restate", "~"))
		}) {
			for method, operation := range paths[path].(map[string]any) {
				if method != "parameters" {
					tryOperation(t, h, v, strings.ToUpper(method), path, operation.(map[string]any))
					n++
				}
			}
		}
		if n != want {
			t.Errorf("%s has %d operations, want %d", service, n, want)
		}
	}
}

// tryOperation sends the request of an operation, and holds request and answer
// against the document.
func tryOperation(t *testing.T, h house, v validator.Validator, method, path string, operation map[string]any) {
	t.Helper()
	id := operation["operationId"].(string)
	awakeable := "sign_1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAAAEQ"
	target := strings.NewReplacer("{key}", "k", "{idempotencyKey}", "ik", "{invocationId}", "inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy",
		"{awakeableId}", awakeable).Replace(path)
	if strings.HasSuffix(path, "/send") {
		target += "?delay=" + url.QueryEscape("1 ms")
	}
	body := bodies()[strings.TrimSuffix(id, ".send")]
	request := func() *http.Request {
		r, err := http.NewRequest(method, h.ingress+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if content, ok := operation["requestBody"].(map[string]any); ok {
			for contentType := range content["content"].(map[string]any) {
				r.Header.Set("content-type", contentType)
			}
		}
		if service, _, _ := strings.Cut(id, "."); service != "Delivery" && method == "POST" {
			r.Header.Set("idempotency-key", "ik")
		}
		if h.token != "" {
			r.Header.Set("authorization", "Bearer "+h.token)
		}
		return r
	}
	if h.token != "" {
		bare := request()
		bare.Header.Del("authorization")
		if ok, _ := v.ValidateHttpRequest(bare); ok {
			t.Errorf("%s: a request without a token fits the document", id)
		}
	}
	if ok, problems := v.ValidateHttpRequest(request()); !ok {
		t.Errorf("%s: the request does not fit the document: %s", id, describe(problems))
	}
	resp, err := http.DefaultClient.Do(request())
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := wantStatus(id, path); resp.StatusCode != want {
		t.Errorf("%s: %s %s is %d %s, want %d", id, method, target, resp.StatusCode, text, want)
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	if ok, problems := v.ValidateHttpResponse(request(), resp); !ok {
		t.Errorf("%s: the answer %d %s does not fit the document: %s", id, resp.StatusCode, text, describe(problems))
	}
}

// wantStatus is what each operation is answered in the order of the test.
func wantStatus(id, path string) int {
	switch {
	case strings.HasSuffix(path, "/send"):
		return 202
	case strings.HasPrefix(id, "Shop.refuse"):
		return 422
	case id == "attach", id == "output", id == "resolve", id == "reject":
		return 404
	default:
		return 200
	}
}
