package httpapi

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// discard is a response that nobody reads. It takes deadlines, as those of
// net/http do.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

func (d *discard) SetReadDeadline(time.Time) error  { return nil }
func (d *discard) SetWriteDeadline(time.Time) error { return nil }

// benchmark serves one request again and again, without net/http around it.
func benchmark(b *testing.B, target, body string) {
	s, err := newServer(&fakeRuntime{forgetful: true}, Options{Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest("POST", "http://h"+target, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI, r.ContentLength = target, int64(len(body))
	r.Header.Set("Content-Type", asJSON)
	r.Header.Set("User-Agent", "bench")
	content, reader := []byte(body), bytes.NewReader(nil)
	r.Body = io.NopCloser(reader)
	w := &discard{header: http.Header{}}
	for b.Loop() {
		reader.Reset(content)
		clear(w.header)
		s.ingress.ServeHTTP(w, r)
	}
}

func BenchmarkCall(b *testing.B) { benchmark(b, "/Obj/some-key/Add", "1") }

func BenchmarkSend(b *testing.B) { benchmark(b, "/Obj/some-key/Add/send", "1") }

func BenchmarkResolve(b *testing.B) {
	id := ident.AwakeableID{Invocation: testID, Index: 17}
	benchmark(b, "/restate/awakeables/"+id.String()+"/resolve", `"yes"`)
}
