package ingress_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dormouse-run/dormouse/objects/ingress"
)

// fakeTransport records what it is asked for and gives fixed answers.
type fakeTransport struct {
	requests  []ingress.Request
	asked     []string
	rejection error

	response ingress.Response
	sent     ingress.Sent
	err      error
}

func (f *fakeTransport) Call(_ context.Context, r ingress.Request) (ingress.Response, error) {
	f.requests = append(f.requests, r)
	return f.response, f.err
}

func (f *fakeTransport) Send(_ context.Context, r ingress.Request) (ingress.Sent, error) {
	f.requests = append(f.requests, r)
	return f.sent, f.err
}

func (f *fakeTransport) Attach(_ context.Context, id string) (ingress.Response, error) {
	f.asked = append(f.asked, "attach "+id)
	return f.response, f.err
}

func (f *fakeTransport) Output(_ context.Context, id string) (ingress.Response, error) {
	f.asked = append(f.asked, "output "+id)
	return f.response, f.err
}

func (f *fakeTransport) Complete(_ context.Context, id string, value []byte, reason error) error {
	f.asked = append(f.asked, "complete "+id+" "+string(value))
	f.rejection = reason
	return f.err
}

func (f *fakeTransport) Signal(_ context.Context, id, name string, value []byte, reason error) error {
	f.asked = append(f.asked, "signal "+id+" "+name+" "+string(value))
	f.rejection = reason
	return f.err
}

func (f *fakeTransport) Operate(_ context.Context, op ingress.Operation, id string) error {
	f.asked = append(f.asked, op.String()+" "+id)
	return f.err
}

func (f *fakeTransport) Restart(_ context.Context, id string, from uint32) (string, error) {
	f.asked = append(f.asked, fmt.Sprintf("restart %s from %d", id, from))
	return "inv_new", f.err
}

func (f *fakeTransport) EditState(_ context.Context, p ingress.StatePatch) error {
	f.asked = append(f.asked, fmt.Sprintf("edit %s/%s %s %s", p.Service, p.Key, p.Version, p.State["n"]))
	return f.err
}

// exchange is what a test server was asked for.
type exchange struct {
	method, uri, body string
	header            http.Header
}

// serve starts a server that gives one answer and hands on each request.
func serve(t *testing.T, status int, header map[string]string, body string) (url string, asked <-chan exchange) {
	t.Helper()
	exchanges := make(chan exchange, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		exchanges <- exchange{r.Method, r.RequestURI, string(b), r.Header.Clone()}
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, exchanges
}
