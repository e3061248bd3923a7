package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// The targets of this file are the whole admin port in front of a whole runtime.

// FuzzAdmin asks with any method, path, header and body.
func FuzzAdmin(f *testing.F) {
	for _, s := range adminSeeds() {
		f.Add(s.method, s.path, s.header, s.value, s.body)
	}
	h := newFuzzServer(f).AdminHandler()
	f.Fuzz(func(t *testing.T, method, path, header, value, body string) {
		isAdministered(t, h, wireOf(method, path, header, value, body))
	})
}

// FuzzAdminBytes asks with any bytes of a connection.
func FuzzAdminBytes(f *testing.F) {
	for _, s := range adminSeeds() {
		f.Add(wireOf(s.method, s.path, s.header, s.value, s.body))
	}
	h := newFuzzServer(f).AdminHandler()
	f.Fuzz(func(t *testing.T, wire string) { isAdministered(t, h, wire) })
}

// FuzzBatchRequest: of what is named each one is done or not, once, and nothing else.
func FuzzBatchRequest(f *testing.F) {
	for _, s := range []string{`{"invocation_ids":[]}`, `{"invocation_ids":["` + someID + `","x"]}`, `{"invocation_ids":null}`, `{"INVOCATION_IDS":["a","a"]}`, `[`, `{"invocation_ids":[1]}`} {
		f.Add("kill", s)
	}
	f.Add("restart-as-new", `{"invocation_ids":["`+someID+`"]}`)
	h := newFuzzServer(f).AdminHandler()
	f.Fuzz(func(t *testing.T, operation, body string) {
		if !slices.Contains([]string{"cancel", "kill", "pause", "resume", "purge", "purge-journal", "restart-as-new"}, operation) {
			return
		}
		r := httptest.NewRequest("POST", "/internal/invocations_batch_operations/"+operation, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			if w.Code < 400 || w.Code >= 500 {
				t.Errorf("%q: got %d %s", body, w.Code, w.Body)
			}
			return
		}
		var asked struct {
			IDs []string `json:"invocation_ids"`
		}
		var answer struct{ Succeeded, Failed []any }
		if err := json.Unmarshal([]byte(body), &asked); err != nil {
			t.Fatalf("%q is taken: %v", body, err)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Succeeded)+len(answer.Failed) != len(asked.IDs) {
			t.Errorf("%q: got %s, %v", body, w.Body, err)
		}
	})
}

// adminSeeds are requests of every kind.
func adminSeeds() []ingressSeed {
	const json = "application/json"
	return []ingressSeed{
		{"GET", "/", "Accept", "*/*", ""},
		{"GET", "/metrics", "Accept", "application/openmetrics-text", ""},
		{"GET", "/services/Obj/handlers/Add", "Origin", "http://localhost", ""},
		{"GET", "/services/Obj/openapi", "X-Request-Id", "r", ""},
		{"POST", "/services/Obj/state", "Content-Type", json, `{"object_key":"k","new_state":{"sum":[49]}}`},
		{"PATCH", "/invocations/" + someID + "/restart-as-new?from=1&deployment=latest", "Content-Type", json, ""},
		{"PATCH", "/invocations/" + someID + "/kill", "Authorization", "Bearer x", ""},
		{"POST", "/internal/invocations_batch_operations/purge", "Content-Type", json, `{"invocation_ids":["` + someID + `"]}`},
		{"GET", "/introspection/invocations?status=paused&limit=5&order=oldest", "Accept", "*/*", ""},
		{"GET", "/introspection/invocations/" + someID + "?export=true&from=2&max_value_bytes=9", "Accept", "*/*", ""},
		{"GET", "/introspection/objects/Obj/k%2F?journal=false", "Accept", "*/*", ""},
		{"GET", "/introspection/awakeables?service=Obj&key=%FF", "Accept", "*/*", ""},
		{"GET", "/introspection/promises?cursor=abc", "Accept", "*/*", ""},
		{"GET", "/introspection/events?topics=object,promise&after=3-17", "Last-Event-ID", "1-1", ""},
		{"DELETE", "/deployments", "X-Odd", "\xc3\xa9", ""},
		{"POST", "/query", "Content-Type", json, `{"query":"select 1"}`},
	}
}

// isAdministered sends what net/http takes for a request, and holds the answer to
// the rules of the admin port: errors are JSON and say what to do, none is ours.
func isAdministered(t *testing.T, h http.Handler, wire string) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return
	}
	ctx, leave := context.WithTimeout(context.Background(), 20*time.Millisecond) // streams do not end
	defer leave()
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			t.Errorf("%q: panic: %v", wire, v)
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(ctx))
	for name, values := range w.Header() {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Errorf("%q: the header %s is %q", wire, name, v)
			}
		}
	}
	late := ctx.Err() != nil && w.Code == http.StatusServiceUnavailable
	if w.Code >= 500 && !late || w.Code >= 300 && w.Code < 400 {
		t.Errorf("%q: got %d %s", wire, w.Code, w.Body)
	}
	if w.Code < 400 || r.Method == http.MethodHead {
		return
	}
	var answer struct{ Message string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Message == "" {
		t.Errorf("%q: got %d %q: %v", wire, w.Code, w.Body, err)
	}
}
