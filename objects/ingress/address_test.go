package ingress_test

import (
	"strings"
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestAnAddressWithoutASchemeIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:8080", "localhost:8080/"} {
		c, ctx := ingress.NewClient(address, ingress.WithAdminURL(address)), t.Context()
		host := strings.TrimSuffix(address, "/")
		want := `: the address "` + host + `" of the runtime: http:// is missing in front of it`
		_, call := ingress.Service[restate.Void, restate.Void](c, "S", "h").Request(ctx, restate.Void{})
		if call == nil || call.Error() != "call S/h"+want {
			t.Errorf("a call to %s gives %v", address, call)
		}
		if err := ingress.Kill(ctx, c, "inv_1"); err == nil || err.Error() != "kill invocation inv_1"+want {
			t.Errorf("a kill at %s gives %v", address, err)
		}
	}
}
