package httpapi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// hostileServices are what the tests of bad input attack: Raw keeps the bytes
// that it is given, and Wait waits for an answer.
func hostileServices() []restate.ServiceDefinition {
	put := func(ctx restate.ObjectContext, b []byte) (restate.Void, error) {
		restate.Set(ctx, "v", b, restate.WithBinary)
		return restate.Void{}, nil
	}
	get := func(ctx restate.ObjectContext, _ restate.Void) ([]byte, error) {
		return restate.Get[[]byte](ctx, "v", restate.WithBinary)
	}
	wait := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Awakeable[string](ctx).Result()
	}
	return []restate.ServiceDefinition{
		restate.NewObject("Raw").
			Handler("put", restate.NewObjectHandler(put, restate.WithBinary)).
			Handler("get", restate.NewObjectHandler(get, restate.WithBinary)),
		restate.NewObject("Wait").Handler("for", restate.NewObjectHandler(wait)),
	}
}

func openHostileHouse(t *testing.T) *house {
	t.Helper()
	return openHouseOn(t, persistence.NewMemory(), actors.Options{Services: hostileServices(), Logger: slog.New(slog.DiscardHandler)})
}

// put stores bytes as the state of a key of Raw.
func (h *house) put(key, value string) {
	h.t.Helper()
	want(h.t, h.call("/Raw/"+key+"/put", value, "Content-Type", "application/octet-stream"), 200, "")
}

func TestStateThatIsNoTextLeavesIntrospectionValidJSON(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	for i, value := range []string{
		"\"\xff\"", "{\"a\":\"\xc3\x28\"}", "\xff\xfe", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\x00", `"` + "\u2028</script>" + `"`,
	} {
		key := fmt.Sprint("k", i)
		h.put(key, value)
		r := ask(h.client, "GET", h.admin+"/introspection/objects/Raw/"+key, "")
		if r.status != 200 || !utf8.ValidString(r.body) || !json.Valid([]byte(r.body)) {
			t.Errorf("state %q is shown as %q", value, r)
		}
	}
}

func TestStateThatIsDeeplyNestedIsShownAsText(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	deep := strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999)
	h.put("deep", deep)
	r := ask(h.client, "GET", h.admin+"/introspection/objects/Raw/deep?max_value_bytes=100000", "")
	var v struct {
		State []struct {
			Value struct{ UTF8 string }
		}
	}
	if err := json.Unmarshal([]byte(r.body), &v); err != nil || len(v.State) != 1 || v.State[0].Value.UTF8 != deep {
		t.Errorf("%v: %.300s", err, r)
	}
}
