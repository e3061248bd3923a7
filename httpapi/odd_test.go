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
