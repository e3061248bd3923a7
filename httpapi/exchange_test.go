package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/journal"
)

func TestALongAnswerIsNotSentInChunks(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, chunkedFrom, chunkedFrom + 1, 1 << 20} {
		value := []byte(strings.Repeat("1", size))
		f := &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) {
			return actors.Response{ID: testID, Result: journal.ValueOf(value)}, nil
		}}
		server := httptest.NewServer(testServer(t, f, Options{}).IngressHandler())
		r, err := http.Post(server.URL+"/Obj/k/Add", asJSON, strings.NewReader("1"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) != size || r.ContentLength != int64(size) || len(r.TransferEncoding) != 0 {
			t.Errorf("%d bytes: %d came, %d are announced, encoded as %v, %v", size, len(body), r.ContentLength, r.TransferEncoding, err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	}
}

// The frame uses the memory of a request again, and answers share values of
// headers: neither may be seen.
func TestAnswersDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	h := testServer(t, &fakeRuntime{}, Options{}).IngressHandler()
	first := ask(h, "POST", "/Obj/k/Add", "1", "Content-Type", asJSON, "X-Request-Id", "first")
	before := first.Header().Clone()
	for name := range first.Header() {
		first.Header().Add(name, "added by a program in front of us")
	}
	second := ask(h, "POST", "/Obj/k/Add", "1", "Content-Type", asJSON, "X-Request-Id", "second")
	for name, values := range before {
		want := values
		if name == headerRequestID {
			want = []string{"second"}
		}
		if got := second.Header()[name]; !slices.Equal(got, want) {
			t.Errorf("%s of the second answer is %q, want %q", name, got, want)
		}
	}
	if got := first.Header()[headerRequestID][0]; got != "first" {
		t.Errorf("the first answer has the request id %q now", got)
	}
	refused := ask(h, "DELETE", "/Obj/k/Add", "")
	if refused.Code != 405 || len(refused.Header()[headerInvocation]) != 0 {
		t.Errorf("a refusal after a call has %v", refused.Header())
	}
}
