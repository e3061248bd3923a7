package exampletest

import (
	"slices"
	"testing"
)

func TestACurlLineIsUnderstoodAsCurlDoes(t *testing.T) {
	t.Parallel()
	c, err := parseCurl(`curl -si -X PUT "localhost:8080/a?delay=1 s" -H 'k: v w' --json '{"a":"b c"}'`)
	if err != nil {
		t.Fatal(err)
	}
	if c.method != "PUT" || c.url != "localhost:8080/a?delay=1 s" || c.body != `{"a":"b c"}` || !c.include {
		t.Errorf("understood as %+v", c)
	}
	if want := []string{"Content-Type", "application/json", "k", "v w"}; !slices.Equal(c.headers, want) {
		t.Errorf("headers %q, want %q", c.headers, want)
	}
	for _, bad := range []string{`curl -o file localhost`, `curl 'a`, `curl a b`, `curl a -H`} {
		if _, err := parseCurl(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestThreeDotsStandForAnything(t *testing.T) {
	t.Parallel()
	rows := []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"a...", "abc", true},
		{"a...c", "abc", true},
		{"a...c", "abd", false},
		{"a...c...e", "abcde", true},
		{"a...x...e", "abcde", false},
		{"...", "", true},
		{"b...", "abc", false},
	}
	for _, row := range rows {
		if got := fits(row.pattern, row.text); got != row.want {
			t.Errorf("fits(%q, %q) = %v", row.pattern, row.text, got)
		}
	}
}

func TestAnAnswerMustBeThereAndInOrder(t *testing.T) {
	t.Parallel()
	got := []string{"HTTP/1.1 202 Accepted", "x-a: 1", ""}
	if err := compare([]string{"HTTP/1.1 202 Accepted", "x-a: ..."}, got); err != nil {
		t.Error(err)
	}
	if compare([]string{"x-a: 1", "HTTP/1.1 202 Accepted"}, got) == nil || compare([]string{"x-b"}, got) == nil {
		t.Error("what was not answered is accepted")
	}
}

func TestFiltersKeepAPartOfAnAnswer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`grep -o 'b[^"]*'`: "bc", `cut -d'"' -f4`: "bc", `cut -d'"' -f9`: ""} {
		keep, err := filterOf(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := keep(`{"a":"bc"}`); got != want {
			t.Errorf("%s keeps %q, want %q", text, got, want)
		}
	}
	if _, err := filterOf("jq .a"); err == nil {
		t.Error("jq is accepted")
	}
}
