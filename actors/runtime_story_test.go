package actors

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// TestARandomStoryLosesNothing does random things to a few keys under tight
// bounds, with crashes and clean restarts in between, and then wants every
// accepted invocation to end, and every counted one to be counted once.
func TestARandomStoryLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			s := &story{r: rand.New(rand.NewPCG(seed, 7)), sums: map[string]int{}}
			o := Options{
				Services: s.world.services(), MaxHotWaiters: 2, MaxRunningHandlers: 2, MaxLiveActors: 3,
				Linger: time.Second, InactivityTimeout: time.Duration(s.r.IntN(3)-1) * time.Second,
			}
			inBubble(t, o, s.tell)
		})
	}
}

type story struct {
	world world
	r     *rand.Rand
	b     *bench
	// asks are invocations that wait for an answer, by what they ask.
	asks map[string]ident.InvocationID
	all  []ident.InvocationID
	// sums are what was added to the counters, by key.
	sums map[string]int
	n    int
}

func (s *story) tell(t *testing.T, b *bench) {
	s.b, s.asks = b, map[string]ident.InvocationID{}
	for range 150 {
		s.step(t)
	}
	for name := range s.asks {
		s.answer(name)
	}
	deadline := time.Now().Add(time.Hour)
	for _, id := range s.all {
		for _, err := b.rt.Output(t.Context(), id); errors.Is(err, ErrNotReady); _, err = b.rt.Output(t.Context(), id) {
			if time.Now().After(deadline) {
				t.Fatalf("invocation %s is %s for ever", id, b.status(id))
			}
			for name := range s.asks { // those whose turn has come meanwhile
				s.answer(name)
			}
			advance(time.Second)
		}
	}
	for key, sum := range s.sums {
		wantValue(t, call(b, ask("Counter", key, "get", nil)).Result, strconv.Itoa(sum))
	}
	advance(time.Hour)
	if st := b.rt.Stats(); st.LiveActors+st.Attempts+st.HotWaiters+st.RunningHandlers+st.Requests+st.Admitted != 0 {
		t.Errorf("something is left in memory: %+v", st)
	}
	for _, table := range []machine.Table{machine.TableActive, machine.TableOutbox, machine.TableTimer, machine.TableInbox} {
		if n := rows(t, b, table); n != 0 {
			t.Errorf("%d rows of table %q are left", n, table)
		}
	}
}

func (s *story) step(t *testing.T) {
	s.n++
	name := fmt.Sprintf("q%d", s.n)
	key := fmt.Sprintf("k%d", s.r.IntN(3))
	switch s.r.IntN(14) {
	case 0, 1, 2:
		s.asks[name] = send(s.b, ask("Desk", key, "ask", name))
		s.all = append(s.all, s.asks[name])
	case 3:
		s.asks[name] = send(s.b, ask("Echo", "", "relay", name))
		s.all = append(s.all, s.asks[name])
	case 4, 5:
		n := s.r.IntN(100)
		call(s.b, ask("Counter", key, "add", n))
		s.sums[key] += n
	case 6:
		n := s.r.IntN(100)
		s.all = append(s.all, send(s.b, ask("Counter", key, "add", n)))
		s.sums[key] += n
	case 7:
		s.all = append(s.all, send(s.b, ask("Desk", key, "nap", s.r.IntN(5))))
	case 8, 9:
		if name := s.pick(); name != "" {
			s.answer(name)
		}
	case 10:
		s.operate(t, machine.OpCancel)
	case 11:
		s.operate(t, machine.OpKill)
	case 12:
		advance(time.Duration(s.r.IntN(4000)) * time.Millisecond)
	default:
		if s.r.IntN(2) == 0 {
			s.b.crash()
		} else {
			s.b.reopen()
		}
	}
	if s.r.IntN(2) == 0 {
		synctest.Wait()
	}
}

// answer resolves what is asked, once its awakeable is known.
func (s *story) answer(name string) {
	s.world.mu.Lock()
	_, known := s.world.ids[name]
	s.world.mu.Unlock()
	if !known {
		return
	}
	id := s.world.awakeable(s.b.t, name)
	if _, err := s.b.rt.Signal(s.b.t.Context(), id.Invocation, signalOf(id), valueOf("ok")); err != nil && !errors.Is(err, ErrUnknownInvocation) {
		s.b.t.Fatalf("resolve %s: %v", name, err)
	}
	delete(s.asks, name)
}

func (s *story) operate(t *testing.T, op machine.Operation) {
	id, known := s.asks[s.pick()]
	if !known {
		return
	}
	var status *StatusError
	if _, err := s.b.rt.Operate(t.Context(), op, id); err != nil && !errors.As(err, &status) && !errors.Is(err, ErrUnknownInvocation) {
		t.Fatalf("%v %s: %v", op, id, err)
	}
}

// pick chooses something that is asked, "" when nothing is.
func (s *story) pick() string {
	names := slices.Sorted(maps.Keys(s.asks))
	if len(names) == 0 {
		return ""
	}
	return names[s.r.IntN(len(names))]
}
