package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/objects"
)

func TestWrongNamesAreAnsweredWithTheRightOnes(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{})
	for _, row := range []struct {
		path, message string
		status        int
	}{
		{"/greeter/Greet", "no service named 'greeter': names are case-sensitive, and there is 'Greeter'", 404},
		{"/restate/invocation/greeter/Greet/i/attach", "names are case-sensitive, and there is 'Greeter'", 404},
		{"/Nope/Greet", "no service named 'Nope': /restate/health lists those that are bound", 404},
		{"/Greeter/greet", "service 'Greeter' has no handler 'greet': names are case-sensitive, and there is 'Greet'", 404},
		{"/Greeter/nope", "service 'Greeter' has no handler 'nope': it has Greet, NoIn, Raw\"", 404},
		{"/Obj/k/hidden", "service 'Obj' has no handler 'hidden': it has Add, Get, send\"", 404},
		{"/Greeter/bob/Greet", "service Greeter has no keys: call it without one: /Greeter/{handler}", 400},
		{"/Greeter/bob/Greet/send", "service Greeter has no keys: call it without one: /Greeter/{handler}", 400},
		{"/Greeter/Greet/bob", "the path goes on behind the handler 'Greet'", 400},
	} {
		w := ask(s.IngressHandler(), "GET", row.path, "")
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.message) {
			t.Errorf("%s: got %d %s, want %d with %q", row.path, w.Code, w.Body, row.status, row.message)
		}
	}
}

func TestAListOfHandlersIsCutAfterTen(t *testing.T) {
	t.Parallel()
	add := func(_ objects.Context, n int) (int, error) { return n, nil }
	many, none := objects.NewService("Many"), objects.NewService("None")
	for i := range 12 {
		many.Handler(fmt.Sprintf("h%02d", i), objects.NewServiceHandler(add))
	}
	none.Handler("own", objects.NewServiceHandler(add, objects.WithIngressPrivate(true)))
	c := newCatalog([]objects.ServiceDefinition{many, none})
	for service, want := range map[string]string{
		"Many": "it has h00, h01, h02, h03, h04, h05, h06, h07, h08, h09 and 2 more",
		"None": "it has none that the ingress may call",
	} {
		if f := c[service].noHandler("x"); !strings.HasSuffix(f.message, want) {
			t.Errorf("got %q, want %q", f.message, want)
		}
	}
}

func TestAWrongContentTypeIsAnsweredWithWhatToSend(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	asJSONInput, asBytes := inputRule{contentType: asJSON, required: true}, inputRule{contentType: "application/octet-stream"}
	for _, row := range []struct {
		rule              inputRule
		contentType, body string
		want              string
	}{
		{asJSONInput, form, "1", "this handler takes application/json and got " + form + ": add -H 'content-type: application/json', or use curl --json"},
		{asJSONInput, "", "1", "this handler takes application/json and got no content type: add -H 'content-type: application/json', or use curl --json"},
		{asJSONInput, strings.Repeat("x", 300), "1", "this handler takes application/json and got another content type: add -H 'content-type: application/json', or use curl --json"},
		{asJSONInput, "", "", "the body is empty; this handler needs a JSON input"},
		{asJSONInput, form, "", "the body is empty; this handler needs a JSON input"},
		{inputRule{contentType: "text/csv", required: true}, "", "", "the body is empty; this handler needs an input of type text/csv"},
		{asBytes, form, "1", "this handler takes application/octet-stream and got " + form + ": add -H 'content-type: application/octet-stream'"},
		{inputRule{}, form, "", "this handler takes no input and got " + form + ": leave the content type out"},
	} {
		if f := row.rule.check(row.contentType, []byte(row.body)); f == nil || f.message != row.want || f.status != 400 {
			t.Errorf("%q with %q: got %v, want %q", row.contentType, row.body, f, row.want)
		}
	}
}

func TestTheAdminPortNamesItsRoutes(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{})
	for _, path := range []string{"/introspection", "/nope"} {
		w := ask(s.AdminHandler(), "GET", path, "")
		if w.Code != 404 || !strings.Contains(w.Body.String(), "/introspection/invocations/{id}") {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}

func TestAMalformedInvocationIDIsAnsweredWithItsForm(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{})
	w := ask(s.IngressHandler(), "GET", "/restate/attach/inv_nope", "")
	if w.Code != 400 || !strings.Contains(w.Body.String(), `\"inv_1\" followed by 33 base-62 characters`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
