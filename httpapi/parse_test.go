package httpapi

import (
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDelaysAreReadInBothForms(t *testing.T) {
	t.Parallel()
	good := map[string]time.Duration{
		"10s": 10 * time.Second, "1500ms": 1500 * time.Millisecond, "1h 30m": 90 * time.Minute, "1h30m": 90 * time.Minute,
		"2 days": 48 * time.Hour, "1 week 1 day": 8 * day, "0s": 0, "5ns": 5, "7 µs": 7 * time.Microsecond, "1.5s": 1500 * time.Millisecond,
		"PT2S": 2 * time.Second, "P1D": day, "PT1H30M": 90 * time.Minute, "P2W": 2 * week, "P1DT1S": day + time.Second,
		"pt0.25s": 250 * time.Millisecond, "0.000000001s": 1, "PT0S": 0,
	}
	for text, want := range good {
		if got, err := parseDelay(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	bad := []string{
		"", " ", "5", "-5s", "5 apples", "1y", "1 month", "P1Y", "P1M", "P", "PT", "P1DT", "PT1D", "P1H", "PT-1S", "1s 1m", "1s 1s",
		"1..5s", ".5s", "1.s", "s", "1h,30m", "99999999999999999999s", "999999w", "1.0000000001s", "P999999WT1S", "1s;",
	}
	for _, text := range bad {
		if got, err := parseDelay(text); err == nil {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}

func FuzzParseDelay(f *testing.F) {
	for _, s := range []string{"10s", "1h 30m", "PT1H30M", "P1DT0.5S", "1.5h", "9223372036854775807ns", "P106751D"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
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
	})
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"/a/b", "/Obj//Add", "/a/b/c/d/e/f/g", "/", "//", "///", "", "a/b", "/a/%2F/b/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		s, ok := split(path)
		trimmed := strings.TrimSuffix(path, "/")
		slashes := strings.Count(trimmed, "/")
		if want := strings.HasPrefix(path, "/") && slashes >= 2 && slashes <= 7; ok != want {
			t.Fatalf("split(%q) reports %v", path, ok)
		}
		if ok && "/"+strings.Join(s.all(), "/") != trimmed {
			t.Errorf("split(%q) = %q", path, s.all())
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	for _, s := range []string{"k", "a%2Fb", "%ff", "%", "a+b", "%zz", strings.Repeat("k", 1025)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, segment string) {
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
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"delay=10s", "DELAY=1h+30m&x=y", "delay", "a=%zz&delay=%zz", "&&=&", "limit-key=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := parseQuery(raw)
		if q.delay != "" && !q.hasDelay {
			t.Errorf("%q: %+v", raw, q)
		}
		if !strings.Contains(raw, "=") && q.delay != "" {
			t.Errorf("%q has a delay of %q", raw, q.delay)
		}
	})
}

func FuzzHandlerHeaders(f *testing.F) {
	f.Add("X-Custom", "value")
	f.Add("Idempotency-Key", "i")
	f.Add("X-Odd", "\xff")
	f.Fuzz(func(t *testing.T, name, value string) {
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
	})
}

func TestScaleRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	if d, ok := scale("9223372036", time.Second); !ok || d != 9223372036*time.Second {
		t.Errorf("got %v, %v", d, ok)
	}
	for _, number := range []string{"9223372037", "9223372036.9"} {
		if d, ok := scale(number, time.Second); ok {
			t.Errorf("%s seconds fit into %v of at most %v", number, d, time.Duration(math.MaxInt64))
		}
	}
}

func TestRawPathsAreNotCleaned(t *testing.T) {
	t.Parallel()
	for target, want := range map[string][]string{
		"/Obj//Add":                {"Obj", "", "Add"},
		"/Obj/../Add":              {"Obj", "..", "Add"},
		"/Obj/a%2Fb/Add?x=/y":      {"Obj", "a%2Fb", "Add"},
		"http://h:1/Obj/%41/Add":   {"Obj", "%41", "Add"},
		"/Obj/%7b%22a%22%7d/Add/":  {"Obj", "%7b%22a%22%7d", "Add"},
		"//Obj/Add":                {"", "Obj", "Add"},
		"/Obj/\u00e4/Add?delay=1s": {"Obj", "\u00e4", "Add"},
	} {
		path, _ := rawPath(httptest.NewRequest("GET", target, nil))
		if s, ok := split(path); !ok || !slices.Equal(s.all(), want) {
			t.Errorf("%s: %q", target, s.all())
		}
	}
}

// TestHandlersWorkBehindAPrefix: the request line keeps what StripPrefix has
// taken off.
func TestHandlersWorkBehindAPrefix(t *testing.T) {
	t.Parallel()
	for target, want := range map[string][]string{
		"/dm/Obj/k/Add?delay=1s":   {"Obj", "k", "Add"},
		"/dm/Obj/a%2Fb/Add?x=/y":   {"Obj", "a%2Fb", "Add"},
		"/dm/Obj/%7b%22a%22%7d/Go": {"Obj", "%7b%22a%22%7d", "Go"},
	} {
		var got []string
		http.StripPrefix("/dm", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			path, _ := rawPath(r)
			s, _ := split(path)
			got = s.all()
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", target, nil))
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
