package actors

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
)

// recorder is the actor behind a mailbox under test.
type recorder struct {
	mu      sync.Mutex
	got     []string
	failed  []string
	receive func(message any)
}

func (r *recorder) note(list *[]string, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, text)
}

func (r *recorder) InvokeSystemMessage(message any) { r.note(&r.got, fmt.Sprint("system ", message)) }

func (r *recorder) InvokeUserMessage(message any) {
	r.note(&r.got, fmt.Sprint(message))
	if r.receive != nil {
		r.receive(message)
	}
}

func (r *recorder) EscalateFailure(reason, message any) {
	r.note(&r.failed, fmt.Sprintf("%v: %v", message, reason))
}

func newTestMailbox(r *recorder) *mailbox {
	m := newMailbox().(*mailbox)
	m.RegisterHandlers(r, dispatcher{new(Goroutines)})
	m.Start()
	return m
}

func TestMailboxKeepsOrderAndPrefersSystemMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		m := newTestMailbox(r)
		r.receive = func(message any) {
			if message == 1 {
				m.PostUserMessage(2)
				m.PostUserMessage(3)
				m.PostSystemMessage("first")
			}
		}
		m.PostUserMessage(1)
		synctest.Wait()
		if want := []string{"1", "system first", "2", "3"}; !slices.Equal(r.got, want) {
			t.Fatalf("handled %q, want %q", r.got, want)
		}
	})
}

func TestSuspendedMailboxHoldsUserMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		m := newTestMailbox(r)
		m.PostSystemMessage(&actor.SuspendMailbox{})
		m.PostUserMessage(1)
		m.PostSystemMessage("s")
		synctest.Wait()
		if want := []string{"system s"}; !slices.Equal(r.got, want) || m.UserMessageCount() != 1 {
			t.Fatalf("handled %q while suspended, want %q; %d wait", r.got, want, m.UserMessageCount())
		}
		m.PostSystemMessage(&actor.ResumeMailbox{})
		synctest.Wait()
		if want := []string{"system s", "1"}; !slices.Equal(r.got, want) {
			t.Fatalf("handled %q after resume, want %q", r.got, want)
		}
	})
}

func TestMailboxGoesOnAfterPanicAndGoexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{receive: func(message any) {
			switch message {
			case "panics":
				panic("no")
			case "exits":
				runtime.Goexit()
			}
		}}
		m := newTestMailbox(r)
		for _, message := range []string{"panics", "exits", "fine"} {
			m.PostUserMessage(message)
		}
		synctest.Wait()
		if want := []string{"panics", "exits", "fine"}; !slices.Equal(r.got, want) {
			t.Errorf("handled %q, want %q", r.got, want)
		}
		want := []string{"panics: no", "exits: an actor ended its goroutine while it handled a string"}
		if !slices.Equal(r.failed, want) {
			t.Errorf("failures %q, want %q", r.failed, want)
		}
	})
}

func TestIdleMailboxHoldsNoMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newTestMailbox(new(recorder))
		for i := range 3 * throughput {
			m.PostUserMessage(i)
		}
		synctest.Wait()
		if m.user.rest != nil || m.system.rest != nil || m.scheduled {
			t.Fatalf("idle mailbox holds %d+%d slots, scheduled %v", cap(m.user.rest), cap(m.system.rest), m.scheduled)
		}
	})
}

func TestQueueThatIsNeverEmptyDoesNotGrow(t *testing.T) {
	t.Parallel()
	var q queue
	q.push(0)
	for i := 1; i < 10_000; i++ {
		q.push(i)
		if got := q.pop(); got != i-1 {
			t.Fatalf("popped %v, want %d", got, i-1)
		}
	}
	if cap(q.rest) > 8 {
		t.Fatalf("a queue of two has grown to %d", cap(q.rest))
	}
}
