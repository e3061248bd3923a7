package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// FuzzContentType: a media type is what stands before its parameters, in letters of
// any case.
func FuzzContentType(f *testing.F) {
	for _, s := range []string{"application/json", "Application/JSON; charset=utf-8", "application/x-protobuf", "", ";", "text/plain;a=\"b;c\"", "\xff/\x00"} {
		f.Add(s, []byte("1"))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, takes := range []string{"", contentTypeJSON, contentTypeProtobuf, "application/octet-stream", encoding.AnyContentType} {
			rule := inputRule{contentType: takes, required: takes != ""}
			fail := rule.check(contentType, body)
			if fail != nil && (fail.status < 400 || fail.status >= 500 || len(fail.message) > 4096) {
				t.Errorf("%q: %v", contentType, fail)
			}
			bare := mediaType(contentType)
			for _, same := range []string{bare, strings.ToUpper(bare) + "; q=1", " " + bare + " "} {
				if other := rule.check(same, body); bare == strings.ToLower(strings.ToUpper(bare)) && (other == nil) != (fail == nil) {
					t.Errorf("to one that takes %q, %q is %v and %q is %v", takes, contentType, fail, same, other)
				}
			}
		}
	})
}

// FuzzEventParameters: what is refused is a bad request, and a position that is
// taken is the one of the header.
func FuzzEventParameters(f *testing.F) {
	f.Add("topics=invocation,object&service=Obj&after=1-2", "3-17")
	f.Add("status=paused,idle&key=%FF&handler=h", "")
	f.Add("invocation_id=inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8&topics=awakeable", "-")
	f.Fuzz(func(t *testing.T, raw, last string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		p := newParams(values)
		o := parseEvents(p, last)
		if err := p.end(); err != nil {
			var fail *failure
			if !errors.As(err, &fail) || fail.status != 400 {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if last != "" && (o.After == nil || o.After.String() != last) {
			t.Errorf("%q, %q: it goes on after %v", raw, last, o.After)
		}
	})
}

// FuzzRepeatedMembers: the scan agrees with a reader of tokens.
func FuzzRepeatedMembers(f *testing.F) {
	for _, s := range []string{`{"object_key":"a","new_state":{"a":[1],"b":{"a":1}}}`, `{"object_key":1,"OBJECT_KEY":2}`, `{"new_state":{"a":1,"a":2}}`,
		`{"a":{"object_key":1},"object_key":":"}`, `{"object\u005fkey":1,"object_key":"\\\""}`, `[{"version":1,"version":2}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || bytes.TrimSpace(text)[0] != '{' {
			return
		}
		known := []string{"object_key", "version", "new_state"}
		m := members{known: known, inner: "new_state"}
		twice, count := m.scan(text)
		wantTwice, wantCount := membersByTokens(t, text, known)
		if twice != wantTwice || twice == "" && count != wantCount {
			t.Errorf("%q: %q is twice and %d are within, not %q and %d", text, twice, count, wantTwice, wantCount)
		}
	})
}

// membersByTokens is the naive way.
func membersByTokens(t *testing.T, text []byte, known []string) (twice string, count int) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		name := token.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return "", 0 // deeper than the decoder goes
		}
		for _, k := range known {
			if !strings.EqualFold(name, k) {
				continue
			}
			if seen[k] {
				return k, 0
			}
			seen[k] = true
		}
		if strings.EqualFold(name, "new_state") && value[0] == '{' {
			count += membersOf(t, value)
		}
	}
	return "", count
}

// membersOf counts the members of an object, those of one name each.
func membersOf(t *testing.T, object json.RawMessage) (n int) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for ; d.More(); n++ {
		var value json.RawMessage
		_, err := d.Token()
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}
