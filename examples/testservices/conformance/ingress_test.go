package conformance_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
)

func TestCustom_run(t *testing.T) {
	t.Skip("the suite runs a command of its user here; it asks for nothing but the two addresses, which every other case uses")
}

func TestIngress_headersPassThrough(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		got := callService[map[string]string](w, "TestUtilsService", "echoHeaders", none{},
			restate.WithHeaders(map[string]string{"x-my-custom-header": "x-my-custom-value"}))
		equal(t, "the header", got["x-my-custom-header"], "x-my-custom-value")
	})
}

func TestIngress_rawHandler(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := make([]byte, 100)
		_, _ = rand.Read(sent)
		a := w.post("/TestUtilsService/rawEcho", sent, "Content-Type", "application/octet-stream")
		equal(t, "the status", a.status, 200)
		equal(t, "the content type", a.header.Get("Content-Type"), "application/octet-stream")
		if !bytes.Equal(a.body, sent) {
			t.Errorf("got %x, want %x", a.body, sent)
		}
		typed := callService[[]byte](w, "TestUtilsService", "rawEcho", sent, restate.WithBinary)
		if !bytes.Equal(typed, sent) {
			t.Errorf("got %x, want %x", typed, sent)
		}
	})
}

func TestProxyRequestSigning_requestSigningPass(t *testing.T) {
	t.Skip("signed requests go from a server to a remote endpoint; an embedded handler is called in the process")
}
