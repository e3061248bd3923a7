package httpapi_test

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// maxOddBody is the limit of bodies and payloads in the house of odd inputs.
const maxOddBody = 4096

// openOdd opens a house with an object for which much goes wrong.
func openOdd(t *testing.T) (*house, ledger) {
	t.Helper()
	dir := t.TempDir()
	l := ledger(filepath.Join(dir, "ledger"))
	services := append(deskServices(l), oddService(l))
	return openHouse(t, filepath.Join(dir, "data"), actors.Options{
		Services: services, InactivityTimeout: time.Millisecond, MaxPayload: maxOddBody,
	}, persistence.Options{}), l
}

// oddService fails in every way in which a handler can.
func oddService(l ledger) restate.ServiceDefinition {
	quick := restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(20*time.Millisecond), restate.WithMaxRetryInterval(20*time.Millisecond))
	double := func(_ restate.ObjectContext, n int) (int, error) { return 2 * n, nil }
	return restate.NewObject("Odd", quick).
		Handler("double", restate.NewObjectHandler(double)).
		Handler("hidden", restate.NewObjectHandler(double, restate.WithIngressPrivate(true))).
		Handler("nothing", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (restate.Void, error) {
			return restate.Void{}, nil
		})).
		Handler("nan", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (float64, error) { return math.NaN(), nil })).
		Handler("huge", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (string, error) {
			return strings.Repeat("x", maxOddBody), nil
		})).
		Handler("refuse", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (int, error) {
			return 0, restate.ToTerminalError(errors.New("not today"), restate.WithErrorCode(422))
		})).
		Handler("panics", restate.NewObjectHandler(func(_ restate.ObjectContext, name string) (string, error) {
			if err := l.write("panics", name); err != nil {
				return "", err
			}
			if len(l.lines("mended")) == 0 {
				panic("out of cheese")
			}
			return "fine", nil
		})).
		Handler("fails", restate.NewObjectHandler(func(_ restate.ObjectContext, name string) (string, error) {
			if len(l.lines("mended")) == 0 {
				return "", errors.New("the printer is on fire")
			}
			return "fine", nil
		})).
		Handler("number", restate.NewObjectHandler(func(ctx restate.ObjectContext, name string) (int, error) {
			a := restate.Awakeable[int](ctx)
			if err := restate.RunVoid(ctx, func(restate.RunContext) error { return l.write("id", name, a.Id()) }); err != nil {
				return 0, err
			}
			n, err := a.Result()
			return n, err
		}))
}

func TestExplore(t *testing.T) {
	h, l := openOdd(t)
	for _, r := range []struct{ m, p, b string; hd []string }{
		{"POST", "/Odd/k/double", `"x"`, nil},
		{"POST", "/Odd/k/double", `{`, nil},
		{"POST", "/Odd/k/nan", ``, nil},
		{"POST", "/Odd/k/huge", ``, nil},
		{"POST", "/Odd/k/refuse", ``, nil},
		{"POST", "/Odd/k/double", strings.Repeat("1", maxOddBody+1), nil},
		{"POST", "/Odd/k/double", `1`, []string{"Content-Type", "text/plain"}},
		{"POST", "/Odd/k/double", ``, nil},
		{"POST", "/Odd/k/nothing", `1`, nil},
		{"PUT", "/Odd/k/double", `1`, nil},
		{"POST", "/Odd/k/hidden", `1`, nil},
		{"POST", "/Odd/k/Double", `1`, nil},
		{"POST", "/Odds/k/double", `1`, nil},
		{"POST", "/Odd/double", `1`, nil},
		{"POST", "/Odd/%ff/double", `1`, nil},
		{"POST", "/Odd/"+strings.Repeat("k", 1025)+"/double", `1`, nil},
		{"POST", "/Odd/k/double", `1`, []string{"Idempotency-Key", strings.Repeat("k", 1025)}},
		{"POST", "/"+strings.Repeat("k", 256)+"/k/double", `1`, nil},
		{"POST", "/Odd/k/"+strings.Repeat("k", 256), `1`, nil},
		{"POST", "/restate/awakeables/nonsense/resolve", `1`, nil},
		{"POST", "/restate/awakeables/prom_1NMyOAvDK2CcBjUH4Rmb7eGBp0DNNDnmsAAAAAQ/resolve", `1`, nil},
		{"POST", "/restate/awakeables/prom_1x/resolve", `1`, nil},
		{"POST", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ/resolve", `1`, nil},
		{"POST", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEQ/resolve", `1`, nil},
		{"POST", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEQ/approve", `1`, nil},
		{"POST", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEQ", `1`, nil},
		{"GET", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEQ/resolve", ``, nil},
		{"POST", "/restate/awakeables/inv_1NMyOAvDK2CcBjUH4Rmb7eGBp0DNNDnms/resolve", `1`, nil},
		{"GET", "/restate/attach/inv_nope", "", nil},
		{"GET", "/restate/attach/inv_100000000000000000000000000000000", "", nil},
		{"GET", "/restate/output/inv_100000000000000000000000000000000", "", nil},
		{"POST", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEQ/resolve", strings.Repeat("1", maxOddBody+1), nil},
	} {
		x := ask(h.client, r.m, h.ingress+r.p, r.b, r.hd...)
		p := r.p
		if len(p) > 60 { p = p[:60] }
		b := r.b
		if len(b) > 20 { b = b[:20] }
		t.Logf("%s %s %q -> %v [%s] ra=%s id=%s", r.m, p, b, x, x.header.Get("X-Restate-Error-Source"), x.header.Get("Retry-After"), x.header.Get("X-Restate-Id"))
	}
	id := h.send("/Odd/n/number", `"n"`)
	l.await(t, "id", "n")
	t.Log(h.resolve(firstAwakeable(t, id), `"text"`))
	t.Log(h.attach(id))
	p := h.send("/Odd/p/panics", `"n"`)
	f := h.send("/Odd/f/fails", `"n"`)
	<-time.After(300*time.Millisecond)
	t.Log(h.view(p))
	t.Log(h.view(f))
	l.write("mended ", "x")
	t.Log(h.attach(p), h.attach(f))
}
