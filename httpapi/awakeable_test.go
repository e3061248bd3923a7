package httpapi

import (
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

func TestAwakeableRoutes(t *testing.T) {
	t.Parallel()
	good := ident.AwakeableID{Invocation: testID, Index: 17}.String()
	reserved := ident.AwakeableID{Invocation: testID, Index: 16}.String()
	rows := []struct {
		method, target, body string
		status               int
	}{
		{"POST", "/restate/awakeables/" + good + "/resolve", `"hello"`, 202},
		{"POST", "/restate/a/" + good + "/resolve", "", 202},
		{"POST", "/restate/a/" + good + "/resolve/", "", 202},
		{"POST", "/restate/awakeables/" + good + "/reject/and/more", "no", 202},
		{"POST", "/restate/awakeables/" + good, "", 400},
		{"POST", "/restate/awakeables", "", 400},
		{"POST", "/restate/awakeables/" + good + "/cancel", "", 404},
		{"GET", "/restate/awakeables/" + good + "/resolve", "", 405},
		{"GET", "/restate/awakeables/nonsense/resolve", "", 405},
		{"POST", "/restate/awakeables/nonsense/resolve", "", 400},
		{"POST", "/restate/awakeables/" + testID.String() + "/resolve", "", 400},
		{"POST", "/restate/awakeables/" + reserved + "/resolve", "", 400},
		{"POST", "/restate/awakeables/prom_1" + good[6:] + "/resolve", "", 404},
		{"POST", "/restate/awakeables/" + good + "/resolve", "far too large", 413},
		{"POST", "/restate/signals/" + testID.String() + "/go%20on/resolve", "1", 202},
		{"POST", "/restate/signals/" + testID.String() + "//resolve", "1", 400},
		{"POST", "/restate/signals/" + testID.String() + "/go", "1", 400},
		{"POST", "/restate/signals/nonsense/go/resolve", "1", 400},
	}
	for _, row := range rows {
		s := testServer(t, &fakeRuntime{}, Options{MaxBody: 8})
		w := ask(s.IngressHandler(), row.method, row.target, row.body, "Content-Type", "any/thing")
		if w.Code != row.status {
			t.Errorf("%s %s: got %d %s", row.method, row.target, w.Code, w.Body)
		}
		if w.Code == 202 && (w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("x-dormouse-outcome") != "applied") {
			t.Errorf("%s: got %v %q", row.target, w.Header(), w.Body)
		}
	}
}

func TestAnAnswerArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	id := ident.AwakeableID{Invocation: testID, Index: 18}
	var got journal.Result
	f := &fakeRuntime{signal: func(of ident.InvocationID, n journal.NotificationID, r journal.Result) (actors.SignalOutcome, error) {
		if of != testID || n != journal.SignalID(18) {
			t.Errorf("answered %v of %v", n, of)
		}
		got = r
		return actors.SignalDuplicate, nil
	}}
	h := testServer(t, f, Options{}).IngressHandler()

	w := ask(h, "POST", "/restate/a/"+id.String()+"/resolve", "not json")
	if got.Kind != journal.ResultValue || string(got.Value) != "not json" || w.Header().Get("x-dormouse-outcome") != "duplicate" {
		t.Errorf("resolved with %+v, %v", got, w.Header())
	}
	ask(h, "POST", "/restate/a/"+id.String()+"/resolve", "")
	if got.Kind != journal.ResultValue || got.Value == nil || len(got.Value) != 0 {
		t.Errorf("resolved with %+v", got)
	}
	ask(h, "POST", "/restate/a/"+id.String()+"/reject", "bad \xff byte")
	if got.Kind != journal.ResultFailure || got.Failure.Code != 500 || got.Failure.Message != "bad \uFFFD byte" {
		t.Errorf("rejected with %+v", got.Failure)
	}
}

func TestAnUnknownAwakeableIsNotFound(t *testing.T) {
	t.Parallel()
	id := ident.AwakeableID{Invocation: testID, Index: 17}
	f := &fakeRuntime{signal: func(ident.InvocationID, journal.NotificationID, journal.Result) (actors.SignalOutcome, error) {
		return 0, actors.ErrUnknownInvocation
	}}
	w := ask(testServer(t, f, Options{}).IngressHandler(), "POST", "/restate/awakeables/"+id.String()+"/resolve", "1")
	if want := `{"code":404,"message":"no invocation here has issued this awakeable id","source":"ingress"}`; w.Code != 404 || w.Body.String() != want {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
