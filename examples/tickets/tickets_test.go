package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, main)) }

func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	exampletest.Tell(t)
}

// TestNoSeatIsSoldTwiceThroughAKill lets many customers reach for few seats and
// check out, kills the program in the middle, and lets all of them try again.
func TestNoSeatIsSoldTwiceThroughAKill(t *testing.T) {
	t.Parallel()
	const seats, customers = 5, 20
	dir := t.TempDir()
	p := exampletest.Start(t, dir)
	buy := func(n int) string {
		cart := fmt.Sprintf("/Cart/c%d/", n)
		p.Post(cart+"add", fmt.Sprintf(`"s%d"`, n%seats))
		return p.Post(cart+"checkout", "").Body
	}
	all := func(kill bool) {
		var work sync.WaitGroup
		var once sync.Once
		for n := range customers {
			work.Go(func() {
				if order := buy(n); kill && strings.Contains(order, "seats") {
					once.Do(p.Kill)
				}
			})
		}
		work.Wait()
	}
	all(true)
	killed := p
	p = exampletest.Start(t, dir)
	all(false)
	exampletest.Eventually(t, "all seats sold", func() bool {
		sold := 0
		for n := range seats {
			if strings.Contains(p.Get(fmt.Sprintf("/Seat/s%d/status", n)).Body, "sold") {
				sold++
			}
		}
		return sold == seats
	})
	paid := map[string]string{}
	for _, at := range append(killed.Printed(payments), p.Printed(payments)...) {
		seat, order := at[1], at[2]
		if paid[seat] != "" && paid[seat] != order {
			t.Errorf("%s was paid for with the orders %s and %s", seat, paid[seat], order)
		}
		paid[seat] = order
	}
	if len(paid) != seats {
		t.Errorf("%d of %d seats were paid for", len(paid), seats)
	}
}

// payments is what the bank prints.
const payments = `pays for \["(s\d)"\], order (\S+)`

func request[I, O any](t *testing.T, rt *actors.Runtime, service, key, handler string, input I) (O, error) {
	return ingress.Object[I, O](rt.Client(), service, key, handler).Request(t.Context(), input)
}

func seatIs(t *testing.T, rt *actors.Runtime, seat string, want SeatStatus) {
	t.Helper()
	exampletest.Eventually(t, fmt.Sprintf("%s is %+v", seat, want), func() bool {
		got, err := request[restate.Void, SeatStatus](t, rt, "Seat", seat, "status", restate.Void{})
		return err == nil && got == want
	})
}

func add(t *testing.T, rt *actors.Runtime, cart, seat string, want bool) {
	t.Helper()
	if got, err := request[string, Added](t, rt, "Cart", cart, "add", seat); err != nil || got.Held != want {
		t.Errorf("%s adds %s: %+v, %v, want %v", cart, seat, got, err, want)
	}
}

func TestAHoldThatEndsDuringThePaymentWaitsForIt(t *testing.T) {
	t.Parallel()
	paying, paid := make(chan string, 1), make(chan struct{})
	s := shop{hold: 20 * time.Millisecond, pay: func(_ restate.RunContext, number, _ string, _ []string) error {
		paying <- number
		<-paid
		return nil
	}}
	rt := exampletest.Open(t, t.TempDir(), s.seat(), s.cart())
	add(t, rt, "alice", "A1", true)
	ordered := make(chan error, 1)
	go func() {
		_, err := request[restate.Void, Order](t, rt, "Cart", "alice", "checkout", restate.Void{})
		ordered <- err
	}()
	select {
	case <-paying:
	case err := <-ordered: // a slow machine: the hold had ended before
		t.Skip(err)
	}
	// bob's hold of another seat began later, and has ended.
	add(t, rt, "bob", "B2", true)
	seatIs(t, rt, "B2", SeatStatus{Status: "free"})
	add(t, rt, "bob", "A1", false)
	close(paid)
	if err := exampletest.Receive(t, ordered); err != nil {
		t.Errorf("checkout: %v", err)
	}
	seatIs(t, rt, "A1", SeatStatus{"sold", "alice"})
}

func TestTheEndOfAHoldThatWasRefusedFreesNoSeat(t *testing.T) {
	t.Parallel()
	s := shop{hold: time.Minute, pay: printPayment(io.Discard)}
	dir := t.TempDir()
	rt := exampletest.Open(t, dir, s.seat(), s.cart())
	add(t, rt, "alice", "A1", true)
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	s.hold = 10 * time.Millisecond
	rt = exampletest.Open(t, dir, s.seat(), s.cart())
	add(t, rt, "bob", "A1", false)
	add(t, rt, "bob", "B2", true)
	seatIs(t, rt, "B2", SeatStatus{Status: "free"}) // so the end of bob's other hold was sent
	add(t, rt, "carol", "A1", false)                // it queues behind that
	seatIs(t, rt, "A1", SeatStatus{Status: "held"})
}

func TestAHoldEndsAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := shop{hold: 300 * time.Millisecond, pay: printPayment(io.Discard)}
	rt := exampletest.Open(t, dir, long.seat(), long.cart())
	add(t, rt, "alice", "A1", true)
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	long.hold = time.Hour
	rt = exampletest.Open(t, dir, long.seat(), long.cart())
	seatIs(t, rt, "A1", SeatStatus{Status: "free"})
	add(t, rt, "alice", "A1", true)
	if _, err := request[Hold, restate.Void](t, rt, "Seat", "A1", "release", Hold{}); err == nil {
		t.Error("the ingress may release seats")
	}
	add(t, rt, "bob", "A1", false)
	if _, err := request[restate.Void, Order](t, rt, "Cart", "alice", "checkout", restate.Void{}); err != nil {
		t.Errorf("checkout: %v", err)
	}
	seatIs(t, rt, "A1", SeatStatus{"sold", "alice"})
}

func TestACheckoutThatIsCancelledPaysUnderOneNumber(t *testing.T) {
	t.Parallel()
	numbers := make(chan string, 2)
	var calls atomic.Int32
	s := shop{hold: time.Hour, pay: func(run restate.RunContext, number, _ string, _ []string) error {
		numbers <- number
		if calls.Add(1) == 1 {
			<-run.Done()
			return run.Err()
		}
		return nil
	}}
	rt := exampletest.Open(t, t.TempDir(), s.seat(), s.cart())
	add(t, rt, "alice", "A1", true)
	sent, err := ingress.Object[restate.Void, Order](rt.Client(), "Cart", "alice", "checkout").Send(t.Context(), restate.Void{})
	if err != nil {
		t.Fatal(err)
	}
	first := exampletest.Receive(t, numbers)
	if err := ingress.Cancel(t.Context(), rt.Client(), sent.Id()); err != nil {
		t.Fatal(err)
	}
	if _, err := sent.Attach(t.Context()); err != nil {
		t.Errorf("checkout: %v", err)
	}
	if second := exampletest.Receive(t, numbers); second != first {
		t.Errorf("paid under %s and under %s", first, second)
	}
	seatIs(t, rt, "A1", SeatStatus{"sold", "alice"})
}

func TestADeclinedCardBuysNothing(t *testing.T) {
	t.Parallel()
	p := exampletest.Start(t, t.TempDir())
	p.Post("/Cart/broke/add", `"A1"`)
	exampletest.Want(t, p.Post("/Cart/broke/checkout", ""), http.StatusPaymentRequired, `{"code":402,"message":"the card was declined","source":"invocation"}`)
	exampletest.Want(t, p.Get("/Seat/A1/status"), http.StatusOK, `{"status":"held"}`)
}
