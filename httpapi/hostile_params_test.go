package httpapi_test

import (
	"strings"
	"testing"
)

func TestAParameterWithABrokenEscapeIsRefusedAndNotIgnored(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	h.put("a", "1")
	id := h.send("/Raw/a/get", "")
	h.attach(id)
	for _, path := range []string{
		"GET /introspection/invocations?service=%zz", "GET /introspection/invocations?service=A;handler=b",
		"GET /introspection/objects/Raw?prefix=%", "GET /introspection/objects/Raw/a?inbox_limit=%1",
		"GET /introspection/awakeables?key=%zz", "GET /introspection/promises?name=%zz", "GET /introspection/events?topics=%zz",
		"GET /introspection/invocations/" + id + "?journal=%zz", "GET /services?x=%zz", "GET /version?%zz",
		"PATCH /invocations/" + id + "/restart-as-new?from=%zz", "PATCH /invocations/" + id + "/resume?deployment=%zz",
		"PATCH /invocations/" + id + "/purge?%zz",
	} {
		method, target, _ := strings.Cut(path, " ")
		want(t, ask(h.client, method, h.admin+target, ""), 400, "query")
	}
	want(t, ask(h.client, "GET", h.admin+"/health?%zz", ""), 200, "")
}

func TestAMisspeltParameterOfARestartIsRefused(t *testing.T) {
	t.Parallel()
	h := openHostileHouse(t)
	h.put("a", "1")
	id := h.send("/Raw/a/get", "")
	h.attach(id)
	batch := "POST /internal/invocations_batch_operations/"
	for _, c := range []struct{ ask, text string }{
		{"PATCH /invocations/" + id + "/restart-as-new?form=1", "'form'"},
		{"PATCH /invocations/" + id + "/restart-as-new?from=1&from=0", "from is given twice"},
		{"PATCH /invocations/" + id + "/resume?deployment=keep&deployment=latest", "deployment is given twice"},
		{batch + "restart-as-new?form=1", "'form'"},
		{batch + "cancel?from=1", "'from'"},
		{batch + "resume?from=1", "'from'"},
		{"GET /introspection/invocations/" + id + "?from=0&from=1", "from is given twice"},
		{"GET /introspection/invocations/" + id + "?export=false&export=true", "export is given twice"},
	} {
		method, target, _ := strings.Cut(c.ask, " ")
		body := ""
		if method == "POST" {
			body = `{"invocation_ids":[]}`
		}
		want(t, ask(h.client, method, h.admin+target, body), 400, c.text)
	}
	want(t, ask(h.client, "POST", h.admin+"/internal/invocations_batch_operations/restart-as-new?from=0&deployment=keep", `{"invocation_ids":["`+id+`"]}`), 200, `"failed":[]`)
	want(t, ask(h.client, "PATCH", h.admin+"/invocations/"+id+"/restart-as-new?from=0&deployment=latest", ""), 200, "new_invocation_id")
}
