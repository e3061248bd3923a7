package httpapi_test

import (
	"strings"
	"testing"
)

func TestAStatePatchThatSaysTwoThingsIsRefused(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"object_key":"\ud800","new_state":{}}`, 400},
		{`{"object_key":"k","new_state":{"\udc00":[1]}}`, 400},
		{`{"object_key":"k","new_state":{"a":[1]},"new_state":{"b":[1]}}`, 422},
		{`{"object_key":"k","new_state":{"a":[1],"a":[2]}}`, 422},
		{`{"object_key":"k","object_key":"l","new_state":{}}`, 422},
		{`{"object_key":"k","new_state":{"a":[1],"\u0061":[2]}}`, 422},
		{`{"object_key":"k","version":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","version":null,"new_state":{}}`, 422},
		{"{\"object_key\":\"\ufffd\",\"new_state\":{\"\\ufffd\":[1]}}", 202},
	} {
		r := ask(h.client, "POST", h.admin+"/services/Raw/state", c.body)
		if r.status != c.status || r.status != 202 && !strings.Contains(r.body, `"restate_code":null`) {
			t.Errorf("%s: %v", c.body, r)
		}
	}
}
