package httpapi

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
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
