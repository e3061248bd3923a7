package httpapi_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// slates are the objects whose histories are judged. Handlers write to l when they
// begin and end.
func slates(l ledger) restate.ServiceDefinition {
	s := slate{l}
	return restate.NewObject("Slate").
		Handler("do", restate.NewObjectHandler(s.do)).
		Handler("look", restate.NewObjectSharedHandler(lookAtSlate))
}

// Names of the state of a slate. An operation writes both, one after the other,
// and may wait between the two.
const (
	stateFirst = "first"
	stateLast  = "last"
)

// version is a value of a slate, and how many writes made it.
type version struct {
	N    int
	Text string
}

// Kinds of operations on a slate.
const (
	kindRead   = "read"
	kindWrite  = "write"
	kindAppend = "append"
	kindCAS    = "cas"
	kindLook   = "look"
)

// Styles of an operation: nothing but state; closures around it; a timer within
// it; both.
const (
	stylePlain   = "plain"
	styleSteps   = "steps"
	styleNap     = "nap"
	styleStepNap = "steps and nap"
)

// order is what a client asks of a slate. ID is different for every operation and
// the same for all requests with its idempotency key.
type order struct {
	ID, Kind, Style string
	// New is what is written or appended, Old what a compare-and-set expects.
	New, Old string
}

type slate struct{ ledger }

// do is every exclusive operation. What it writes to the ledger:
//
//	enter pid key id       code of an attempt runs
//	leave pid key id       code of that attempt has ended
//	step pid key id 1|2    a closure before it reads, and one behind what it writes
func (s slate) do(ctx restate.ObjectContext, o order) (string, error) {
	words := []string{strconv.Itoa(os.Getpid()), restate.Key(ctx), o.ID}
	leave, err := s.enter(words)
	if err != nil {
		return "", err
	}
	defer leave()
	if err := s.step(ctx, o, append(words, "1")); err != nil {
		return "", err
	}
	answer, err := apply(ctx, o)
	if err != nil {
		return "", err
	}
	return answer, s.step(ctx, o, append(words, "2"))
}

func (s slate) enter(words []string) (leave func(), err error) {
	return func() {
		if err := s.write(append([]string{"leave"}, words...)...); err != nil {
			panic(err)
		}
	}, s.write(append([]string{"enter"}, words...)...)
}

func (s slate) step(ctx restate.ObjectContext, o order, words []string) error {
	if o.Style != styleSteps && o.Style != styleStepNap {
		return nil
	}
	return restate.RunVoid(ctx, func(restate.RunContext) error { return s.write(append([]string{"step"}, words...)...) })
}

// apply does to the state what an order says, and returns the answer.
func apply(ctx restate.ObjectContext, o order) (string, error) {
	first, err := restate.Get[version](ctx, stateFirst)
	if err != nil {
		return "", err
	}
	last, err := restate.Get[version](ctx, stateLast)
	if err != nil {
		return "", err
	}
	if first != last {
		return "", restate.ToTerminalError(fmt.Errorf("torn: %v and %v", first, last))
	}
	text, answer := obey(o, last.Text)
	if o.Kind == kindRead || answer == "false" {
		return answer, nil
	}
	next := version{last.N + 1, text}
	restate.Set(ctx, stateFirst, next)
	if o.Style == styleNap || o.Style == styleStepNap {
		if err := restate.Sleep(ctx, 2*time.Millisecond); err != nil {
			return "", err
		}
	}
	restate.Set(ctx, stateLast, next)
	return answer, nil
}

// obey is what an order makes of a text, and its answer. The handlers and the
// model of the checker share it.
func obey(o order, text string) (next, answer string) {
	switch o.Kind {
	case kindWrite:
		return o.New, "written"
	case kindAppend:
		return text + " " + o.New, text + " " + o.New
	case kindCAS:
		if text != o.Old {
			return text, "false"
		}
		return o.New, "true"
	default:
		return text, text
	}
}

// lookAtSlate is the shared operation. An exclusive one may be between its two
// writes: what is written first must never be behind what is written last, when it
// is read later.
func lookAtSlate(ctx restate.ObjectSharedContext, _ order) (string, error) {
	last, err := restate.Get[version](ctx, stateLast)
	if err != nil {
		return "", err
	}
	first, err := restate.Get[version](ctx, stateFirst)
	switch {
	case err != nil:
		return "", err
	case first.N < last.N:
		return "", restate.ToTerminalError(errors.New("the first write is behind the last one"))
	}
	return last.Text, nil
}
