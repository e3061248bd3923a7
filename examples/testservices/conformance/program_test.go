package conformance_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

const (
	programs    = 12
	programKeys = 3
	lastLayer   = 2
)

// story is a number of random programs, and what they have to come to.
type story struct {
	programs []services.Program // the n-th is for key n modulo programKeys of the first layer
	counts   map[services.InterpreterID]int64
}

func newStory(seed uint64) story {
	rnd := rand.New(rand.NewPCG(seed, 0))
	s := story{counts: map[services.InterpreterID]int64{}}
	for layer := range lastLayer + 1 {
		for key := range programKeys {
			s.counts[services.InterpreterID{Layer: layer, Key: strconv.Itoa(key)}] = 0
		}
	}
	for n := range programs {
		s.programs = append(s.programs, s.program(rnd, services.InterpreterID{Key: strconv.Itoa(n % programKeys)}))
	}
	return s
}

// program makes a program for one interpreter, and counts what it increments.
func (s *story) program(rnd *rand.Rand, id services.InterpreterID) services.Program {
	steps := make([]services.ProgramStep, 3+rnd.IntN(8))
	for n := range steps {
		step := services.ProgramStep{
			Kind: services.ProgramCommand(1 + rnd.IntN(int(services.CallNextLayerObject))),
			Key:  rnd.IntN(programKeys), Duration: rnd.Int64N(30), Sleep: rnd.Int64N(30), Index: rnd.IntN(n + 1),
		}
		switch step.Kind {
		case services.IncrementStateCounter, services.IncrementStateCounterIndirectly,
			services.IncrementViaDelayedCall, services.IncrementStateCounterViaAwakeable:
			s.counts[id]++
		case services.CallNextLayerObject:
			if id.Layer == lastLayer {
				step.Kind = services.GetState
				break
			}
			step.Program = s.program(rnd, services.InterpreterID{Layer: id.Layer + 1, Key: strconv.Itoa(step.Key)})
		}
		steps[n] = step
	}
	return services.Program{Commands: steps}
}

// send sends the n-th program, under an idempotency key.
func (s *story) send(w *world, n int) error {
	_, err := ingress.Object[services.Program, none](w.c, "ObjectInterpreterL0", strconv.Itoa(n%programKeys), "interpret").
		Send(w.ctx, s.programs[n], restate.WithIdempotencyKey(strconv.Itoa(n)))
	return err
}

// check waits until every program has succeeded and every counter is right.
func (s *story) check(w *world) {
	w.t.Helper()
	for n := range s.programs {
		attach(w, ingress.ObjectInvocationByIdempotencyKey[none](w.c, "ObjectInterpreterL0", strconv.Itoa(n%programKeys), "interpret", strconv.Itoa(n)))
	}
	for id, want := range s.counts {
		var got int64
		w.eventually(fmt.Sprintf("counter %v is %d", id, want), func() bool {
			got = call[int64](w, fmt.Sprintf("ObjectInterpreterL%d", id.Layer), id.Key, "counter", none{})
			if got > want {
				w.t.Fatalf("counter %v is %d, and should be %d: something was done twice", id, got, want)
			}
			return got == want
		})
	}
}

func seed(t *testing.T) uint64 {
	n := rand.Uint64()
	t.Logf("the seed is %d", n)
	return n
}

func TestRandomProgramsOverThreeLayersCountRight(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		s := newStory(seed(t))
		var sends sync.WaitGroup
		for n := range s.programs {
			sends.Go(func() {
				if err := s.send(w, n); err != nil {
					t.Error(err)
				}
			})
		}
		sends.Wait()
		s.check(w)
	})
}

// TestRandomProgramsCountRightThroughKills kills the process again and again
// while programs arrive and run.
func TestRandomProgramsCountRightThroughKills(t *testing.T) {
	inChildren(t, func(t *testing.T, c *child) {
		s := newStory(seed(t))
		signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL}
		each := len(s.programs) / len(signals)
		for round, end := range signals {
			for n := round * each; n < (round+1)*each; n++ {
				if err := s.send(c.world, n); err != nil {
					t.Fatal(err)
				}
			}
			<-time.After(time.Duration(rand.IntN(100)) * time.Millisecond)
			c = c.again(end)
		}
		s.check(c.world)
	}, byDefault, suspend, evict, lazy)
}

func TestAStepThatNoInterpreterKnowsIsRefused(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		for _, step := range []services.ProgramStep{{Kind: 0}, {Kind: 20}, {Kind: services.CallNextLayerObject}} {
			failure := fails(w, "ObjectInterpreterL2", "k", "interpret", services.Program{Commands: []services.ProgramStep{step}})
			equal(t, fmt.Sprintf("the code of %v (%s)", step.Kind, failure.Message()), failure.Code(), 400)
		}
		for _, r := range []services.InterpretRequest{
			commands(services.Command{Type: "dance"}), await("awaitAny"), await("awaitAny", services.Awaitable{Type: "dance"}),
		} {
			failure := fails(w, interpreter, "i", "interpretCommands", r)
			equal(t, "the code of "+failure.Message(), failure.Code(), 400)
		}
	}, byDefault)
}
