package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The targets of this file are parsers of what anybody may send. What must hold
// for each is a function, which the random test of random_test.go calls too.
// More seeds are in testdata/fuzz.

func FuzzParseDelay(f *testing.F) {
	for _, s := range []string{"10s", "1h 30m", "PT1H30M", "P1DT0.5S", "1.5h", "9223372036854775807ns", "P106751D"} {
		f.Add(s)
	}
	f.Fuzz(delayIsSound)
}

func delayIsSound(t *testing.T, s string) {
	d, err := parseDelay(s)
	if err == nil && d < 0 {
		t.Errorf("%q is a delay of %v", s, d)
	}
	if err == nil && !strings.ContainsAny(s, "0123456789") {
		t.Errorf("%q is a delay without a number", s)
	}
	// Go's own reader agrees wherever it knows the form.
	if g, goErr := time.ParseDuration(s); err == nil && goErr == nil && g != d {
		t.Errorf("%q: %v here, %v there", s, d, g)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"/a/b", "/Obj//Add", "/a/b/c/d/e/f/g", "/", "//", "///", "", "a/b", "/a/%2F/b/"} {
		f.Add(s)
	}
	f.Fuzz(splitIsSound)
}

func splitIsSound(t *testing.T, path string) {
	s, ok := split(path)
	trimmed := strings.TrimSuffix(path, "/")
	slashes := strings.Count(trimmed, "/")
	if want := strings.HasPrefix(path, "/") && slashes >= 2 && slashes <= 7; ok != want {
		t.Fatalf("split(%q) reports %v", path, ok)
	}
	if ok && "/"+strings.Join(s.all(), "/") != trimmed {
		t.Errorf("split(%q) = %q", path, s.all())
	}
}

func FuzzDecodeKey(f *testing.F) {
	for _, s := range []string{"k", "a%2Fb", "%ff", "%", "a+b", "%zz", strings.Repeat("k", 1025)} {
		f.Add(s)
	}
	f.Fuzz(keyIsSound)
}

func keyIsSound(t *testing.T, segment string) {
	key, fail := decodeKey(segment)
	if fail != nil {
		if fail.status != http.StatusBadRequest {
			t.Errorf("%q: %v", segment, fail)
		}
		return
	}
	if !utf8.ValidString(key) || len(key) > maxKeyBytes {
		t.Errorf("%q gives the key %q", segment, key)
	}
	if again, fail := decodeKey(url.PathEscape(key)); fail != nil || again != key {
		t.Errorf("the key %q does not survive an escape", key)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"delay=10s", "DELAY=1h+30m&x=y", "delay", "a=%zz&delay=%zz", "&&=&", "limit-key=a"} {
		f.Add(s)
	}
	f.Fuzz(queryIsSound)
}

func queryIsSound(t *testing.T, raw string) {
	q := parseQuery(raw)
	if q.delay != "" && !q.hasDelay {
		t.Errorf("%q: %+v", raw, q)
	}
	if !strings.Contains(raw, "=") && q.delay != "" {
		t.Errorf("%q has a delay of %q", raw, q.delay)
	}
}

func FuzzHandlerHeaders(f *testing.F) {
	f.Add("X-Custom", "value")
	f.Add("Idempotency-Key", "i")
	f.Add("X-Odd", "\xff")
	f.Fuzz(headersAreSound)
}

func headersAreSound(t *testing.T, name, value string) {
	r := httptest.NewRequest("POST", "/Greeter/Greet", nil)
	r.Header[http.CanonicalHeaderKey(name)] = []string{value}
	headers, fail := handlerHeaders(r, "/Greeter/Greet")
	if fail != nil {
		if printable(value) && len(name)+len(value) <= maxHeaderBytes {
			t.Errorf("%q: %q is refused: %v", name, value, fail)
		}
		return
	}
	seen := map[string]bool{}
	for _, h := range headers {
		if seen[h.Key] || !printable(h.Value) || h.Key == "idempotency-key" {
			t.Errorf("the handler sees %q: %q", h.Key, h.Value)
		}
		seen[h.Key] = true
	}
	if !seen[nameIngressPath] {
		t.Error("the ingress path is missing")
	}
}

func FuzzReadJSONTarget(f *testing.F) {
	for _, s := range targetSeeds() {
		f.Add(s)
	}
	f.Fuzz(targetIsSound)
}

func targetSeeds() []string {
	return []string{
		`{"target":"invocation","invocationId":"inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy"}`,
		`{"target":"workflow","workflowName":"Wf","workflowKey":"\ud83d\ude00"}`, `{"target":"workflow","workflowKey":"\ud800"}`,
		`{"target":"idempotentInvocation","service":"Obj","key":"k","handler":"Add","idempotencyKey":"i","scope":null}`, "null", "{", "",
	}
}

// targetIsSound: what is read can be written, and is then read as the same.
func targetIsSound(t *testing.T, body string) {
	target, fail := readJSONTarget([]byte(body))
	if fail != nil {
		if fail.status != http.StatusBadRequest {
			t.Errorf("%q: %v", body, fail)
		}
		return
	}
	text, err := json.Marshal(target)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	again, fail := readJSONTarget(text)
	if fail != nil || !reflect.DeepEqual(again, target) {
		t.Errorf("%q is read as %+v, and that as %+v: %v", body, target, again, fail)
	}
}
