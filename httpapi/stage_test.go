package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// benchmarkSide serves calls without net/http around them, and measures what comes
// before the runtime, or what comes behind it.
func benchmarkSide(b *testing.B, before bool) {
	f := &fakeRuntime{forgetful: true}
	response := actors.Response{ID: testID, Result: journal.ValueOf([]byte("12345"))}
	f.call = func(_ context.Context, r actors.Request) (actors.Response, error) {
		if before {
			b.StopTimer()
		}
		if r.Service != "Obj" || r.Key != "some-key" || string(r.Body) != "1" {
			b.Fatalf("request %+v", r)
		}
		if !before {
			b.StartTimer()
		}
		return response, nil
	}
	s, err := newServer(f, Options{Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest("POST", "http://h/Obj/some-key/Add", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI, r.ContentLength = "/Obj/some-key/Add", 1
	r.Header.Set("Content-Type", asJSON)
	r.Header.Set("User-Agent", "bench")
	body, w := bytes.NewReader(nil), &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		body.Reset([]byte("1"))
		r.Body = io.NopCloser(body)
		clear(w.header)
		if before {
			b.StartTimer()
		}
		s.ingress.ServeHTTP(w, r)
		b.StartTimer() // Loop wants it to run
	}
}

// BenchmarkStageParse is a call from the request to the runtime.
func BenchmarkStageParse(b *testing.B) { benchmarkSide(b, true) }

// BenchmarkStageReply is a call from the answer of the runtime to the response.
func BenchmarkStageReply(b *testing.B) { benchmarkSide(b, false) }
