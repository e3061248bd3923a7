package httpapi_test

import (
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	restate "github.com/dormouse-run/dormouse/objects"
)

// vault is a desk whose awakeables nobody can guess.
func vault(l ledger) restate.ServiceDefinition {
	d := desk{l}
	return restate.NewObject("Vault", restate.WithUnguessableAwakeables(true)).
		Handler("ask", restate.NewObjectHandler(d.ask)).
		Handler("peek", restate.NewObjectSharedHandler(d.peek))
}

// TestAnUnguessableAwakeableIsResolvedByItsIDOnly knows everything from which
// the id of an awakeable can usually be computed: service, key, handler and
// idempotency key. The process is killed between the steps.
func TestAnUnguessableAwakeableIsResolvedByItsIDOnly(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	id := c.send("/Vault/x/ask", `"gold"`, "Idempotency-Key", "once")
	target := ident.Target{Service: "Vault", Key: "x", Handler: "ask", Kind: ident.KindExclusive}
	if computed := ident.IdempotentID(target, "once").String(); computed != id {
		t.Fatalf("the id %s cannot be computed: %s", id, computed)
	}
	guessed := firstAwakeable(t, id)
	awakeable := c.await(t, "id", "gold")
	hidden, err := ident.ParseAwakeableID(awakeable)
	if err != nil || strings.HasPrefix(awakeable, guessed[:20]) {
		t.Fatalf("the awakeable %s shows its invocation, %v", awakeable, err)
	}
	for range 3 {
		want(t, c.resolve(guessed, `"stolen"`), 404, "no invocation here has issued this awakeable id")
		want(t, c.call("/restate/awakeables/"+guessed+"/reject", "no"), 404, "no invocation here has issued this awakeable id")
		for _, way := range []string{"attach", "output"} {
			want(t, ask(c.client, "GET", c.ingress+"/restate/invocation/"+hidden.Invocation.String()+"/"+way, ""), 404, "")
		}
		want(t, ask(c.client, "PATCH", c.admin+"/invocations/"+hidden.Invocation.String()+"/kill", ""), 404, "")
		want(t, ask(c.client, "GET", c.admin+"/introspection/invocations/"+hidden.Invocation.String(), ""), 404, "")
		c = c.killed()
		want(t, c.call("/Vault/x/peek", ""), 200, "peeked")
	}
	want(t, c.resolve(awakeable, `"paid"`), 202, "")
	want(t, c.attach(id), 200, `"paid"`)
	c = c.killed()
	for outcome, answered := range map[string]reply{"completed": c.resolve(awakeable, `"again"`), "": c.resolve(guessed, `"again"`)} {
		if got := answered.header.Get("X-Dormouse-Outcome"); got != outcome {
			t.Errorf("after the end: %v with the outcome %q, want %q", answered, got, outcome)
		}
	}
	if n := c.count("ran", "gold"); n != 1 {
		t.Errorf("the closure was executed %d times", n)
	}
}
