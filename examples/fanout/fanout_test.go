package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, main)) }

func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	exampletest.Tell(t)
}

// asked counts how often shops were asked.
type asked struct {
	mu sync.Mutex
	n  int
}

func (a *asked) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n += strings.Count(string(b), "\n")
	return len(b), nil
}

func (a *asked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

func TestManyShopsAreAskedOnceEachThroughARestart(t *testing.T) {
	t.Parallel()
	dir, a := t.TempDir(), new(asked)
	q := Question{Item: "lamp", Shops: []string{"slow", "closed"}, Deadline: "2s"}
	for n := range 100 {
		q.Shops = append(q.Shops, fmt.Sprintf("s%d", n))
	}
	rt := exampletest.Open(t, dir, newInquiry(), newShop(a))
	sent, err := ingress.Service[Question, Offer](rt.Client(), "Inquiry", "collect").Send(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	exampletest.Eventually(t, "some of the shops", func() bool { return a.count() > 10 })
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	rt = exampletest.Open(t, dir, newInquiry(), newShop(a))
	o, err := ingress.InvocationById[Offer](rt.Client(), sent.Id()).Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Prices) != 100 || len(o.Failed) != 2 || o.Failed["slow"] != "no answer in 2s" {
		t.Errorf("%d prices, failed %v", len(o.Prices), o.Failed)
	}
	if n := a.count(); n != 100 {
		t.Errorf("100 shops were asked %d times", n)
	}
	for shop, cents := range o.Prices {
		if cents < o.Prices[o.Best] {
			t.Errorf("%s is cheaper than the best, %s", shop, o.Best)
		}
	}
}

func TestTheCallThatIsTooSlowIsCancelledAndFreesItsShop(t *testing.T) {
	t.Parallel()
	rt := exampletest.Open(t, t.TempDir(), newInquiry(), restate.NewObject("Shop").Handler("price", restate.NewObjectHandler(
		func(ctx restate.ObjectContext, item string) (int, error) {
			if item == "slow" {
				return 0, restate.Sleep(ctx, time.Hour)
			}
			return 1, nil
		})))
	ask := func(item, deadline string) Offer {
		t.Helper()
		o, err := ingress.Service[Question, Offer](rt.Client(), "Inquiry", "collect").Request(t.Context(), Question{item, []string{"ann"}, deadline})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := ask("slow", "10ms"); o.Best != "" || o.Failed["ann"] != "no answer in 10ms" {
		t.Errorf("the slow item: %+v", o)
	}
	if o := ask("fast", "10s"); o.Best != "ann" { // it queues behind the first call
		t.Errorf("the fast item: %+v", o)
	}
}

func TestACancelOfTheCollectorReachesTheShops(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan error, 1)
	rt := exampletest.Open(t, t.TempDir(), newInquiry(), restate.NewObject("Shop").Handler("price", restate.NewObjectHandler(
		func(ctx restate.ObjectContext, _ string) (int, error) {
			if err := restate.RunVoid(ctx, func(restate.RunContext) error { close(started); return nil }); err != nil {
				return 0, err
			}
			err := restate.Sleep(ctx, time.Hour)
			ended <- err
			return 0, err
		})))
	sent, err := ingress.Service[Question, Offer](rt.Client(), "Inquiry", "collect").Send(t.Context(), Question{Item: "lamp", Shops: []string{"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	exampletest.Receive(t, started)
	if err := ingress.Cancel(t.Context(), rt.Client(), sent.Id()); err != nil {
		t.Fatal(err)
	}
	if _, err := sent.Attach(t.Context()); restate.AsTerminalError(err) == nil {
		t.Errorf("the collector ended with %v", err)
	}
	if err := exampletest.Receive(t, ended); err == nil {
		t.Error("the shop slept on")
	}
}

func TestAShopThatIsNamedTwiceIsRefused(t *testing.T) {
	t.Parallel()
	p := exampletest.Start(t, t.TempDir())
	exampletest.Want(t, p.Post("/Inquiry/collect", `{"item":"lamp","shops":["ann","ann"]}`), 400, `{...named twice...}`)
	exampletest.Want(t, p.Post("/Inquiry/collect", `{"item":"lamp","shops":[]}`), 200, `{"best":"","prices":{},"failed":{}}`)
}
