package actors_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// remadeInput is one life of an id.
type remadeInput struct {
	Token string `json:"token"`
}

// vault returns a service whose awakeables have ids that say nothing of their
// invocation, and whose invocations are kept for longer than a loop lasts.
func (w *childWorld) vault() restate.ServiceDefinition {
	const long = 10_000 * time.Hour
	return restate.NewService("Vault", restate.WithInactivityTimeout(5*time.Millisecond), restate.WithIdempotencyRetention(long), restate.WithJournalRetention(long)).
		Handler("open", restate.NewServiceHandler(w.openVault, restate.WithUnguessableAwakeables(true)))
}

// openVault hands out an awakeable, and has an effect behind its answer. Both are
// named by the invocation, because it may be a restart of another one.
func (w *childWorld) openVault(ctx restate.Context, in remadeInput) (string, error) {
	name := in.Token + "/" + ctx.Request().ID
	answer, err := w.handOut(ctx, name)
	if err != nil {
		return "", err
	}
	return answer, restate.RunVoid(ctx, func(rc restate.RunContext) error {
		return w.post(rc, "/effect", fmt.Sprintf("vault-%s 0 %s", name, restate.RunKey(rc)))
	}, restate.WithInitialRetryInterval(10*time.Millisecond))
}

// remake restarts a vault that has ended: from its beginning, or behind the answer
// of its awakeable. Then it takes away the journal and the invocation, and lives
// again under the same id.
func (c *killClients) remake() {
	key := c.key()
	first := c.openVault(key, key+"-1")
	if first.id == "" {
		return
	}
	c.restartVault(first, key+"-1", []string{"", "?from=0", "?from=3"}[c.next.Load()%3])
	c.operate(first.id, "purge-journal", http.StatusOK)
	status, answer := c.operate(first.id, "restart-as-new", http.StatusGone)
	if status != 0 && status != http.StatusGone {
		c.complain("a restart of %s, whose journal is gone, gives %d %s", key, status, answer)
	}
	c.vaultGives(first.id, key+"-1")
	c.operate(first.id, "purge", http.StatusOK, http.StatusNotFound)
	second := c.openVault(key, key+"-2")
	if second.id != first.id || second.awakeable == first.awakeable {
		c.complain("%s has lived as %+v and as %+v", key, first, second)
	}
	c.note("remade")
}

// vaultLife is what is known of one life of a vault.
type vaultLife struct{ id, awakeable string }

// openVault begins a life, resolves its awakeable, and waits for its end.
func (c *killClients) openVault(key, token string) (v vaultLife) {
	var sent struct{ InvocationID string }
	answer := c.do("/Vault/open/send", key, fmt.Sprintf(`{"token":%q}`, token), http.StatusAccepted)
	if err := json.Unmarshal(answer, &sent); err != nil {
		return v
	}
	v.id = sent.InvocationID
	v.awakeable = c.openWith(v.id, token)
	c.vaultGives(v.id, token)
	return v
}

// openWith answers the awakeable of an invocation.
func (c *killClients) openWith(id, token string) (awakeable string) {
	awakeable = c.arrived(token + "/" + id)
	c.do("/restate/awakeables/"+awakeable+"/resolve", "", fmt.Sprintf("%q", token+" opened"), http.StatusAccepted)
	c.do("/restate/awakeables/"+awakeable+"/resolve", "", `"too late"`, http.StatusAccepted)
	return awakeable
}

func (c *killClients) vaultGives(id, token string) {
	want := token + " opened"
	_, answer, _ := c.until(killAsk{method: http.MethodGet, url: c.url + "/restate/invocation/" + id + "/attach"}, http.StatusOK)
	if got := string(answer); got != quoted(want) && answer != nil {
		c.complain("vault %s gives %s, resolved was %q", id, got, want)
	}
	c.world.acknowledged("vault-" + token + "/" + id)
}

// restartVault restarts a life that has ended. A restart that is not acknowledged
// may have been made, and waits for ever.
func (c *killClients) restartVault(old vaultLife, token, from string) {
	_, answer := c.operate(old.id, "restart-as-new"+from, http.StatusOK)
	var made struct {
		ID string `json:"new_invocation_id"`
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(answer, &made); err != nil || made.ID == old.id {
		c.complain("restart of %s: %s, %v", old.id, answer, err)
		return
	}
	if from != "?from=3" {
		c.openWith(made.ID, token)
	}
	c.vaultGives(made.ID, token)
	c.note("restarts")
}

// operate does an operation until it is acknowledged.
func (c *killClients) operate(id, op string, want ...int) (status int, answer []byte) {
	status, answer, _ = c.until(killAsk{method: http.MethodPatch, url: c.admin + "/invocations/" + id + "/" + op}, want...)
	return status, answer
}
