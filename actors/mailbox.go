package actors

import (
	"fmt"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is the mailbox of an actor: a mutex and two queues that hold nothing
// outside of it while they have at most one message, because most of the live
// actors are idle, and those that are not rarely have two.
//
// It differs from Proto.Actor's own in one more point: after a panic or a
// runtime.Goexit in Receive it goes on, where theirs can stay marked as running
// with nobody running it.
type mailbox struct {
	mu        sync.Mutex
	system    queue
	user      queue
	scheduled bool // somebody runs process, or will
	suspended bool // user messages wait

	// Set once, before the first message.
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	turn       func() // process, made once
}

var _ actor.Mailbox = (*mailbox)(nil)

func newMailbox() actor.Mailbox { return new(mailbox) }

// PostUserMessage implements actor.Mailbox.
func (m *mailbox) PostUserMessage(message any) { m.post(&m.user, message) }

// PostSystemMessage implements actor.Mailbox.
func (m *mailbox) PostSystemMessage(message any) { m.post(&m.system, message) }

// RegisterHandlers implements actor.Mailbox.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher, m.turn = invoker, dispatcher, m.process
}

// Start implements actor.Mailbox.
func (m *mailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user.len()
}

func (m *mailbox) post(q *queue, message any) {
	m.mu.Lock()
	q.push(message)
	wake := !m.scheduled
	m.scheduled = true
	m.mu.Unlock()
	if wake {
		m.dispatcher.Schedule(m.turn)
	}
}

// process handles messages until there are none, or others should have a turn.
func (m *mailbox) process() {
	growStack()
	var message any
	returned := false
	defer func() {
		if returned {
			return
		}
		reason := recover()
		if reason == nil {
			reason = fmt.Errorf("an actor ended its goroutine while it handled a %T", message)
		}
		m.invoker.EscalateFailure(reason, message)
		m.dispatcher.Schedule(m.turn)
	}()
	again := true
	for range m.dispatcher.Throughput() {
		var system bool
		if message, system, again = m.next(); !again {
			break
		}
		m.handle(message, system)
	}
	returned = true
	if again {
		m.dispatcher.Schedule(m.turn)
	}
}

// growStack makes the stack of its goroutine as large as an event needs. A new
// goroutine has 2 KiB, and Apply and Encode take more than 4: without this the
// stack would be copied twice for each event, under a dozen frames, whose
// pointers are then adjusted one by one. Here there are none yet.
//
//go:noinline
func growStack() {
	var room [6 << 10]byte
	keepOnStack(&room)
}

//go:noinline
func keepOnStack(*[6 << 10]byte) {}

func (m *mailbox) handle(message any, system bool) {
	if !system {
		m.invoker.InvokeUserMessage(message)
		return
	}
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
	case *actor.ResumeMailbox:
		m.suspend(false)
	default:
		m.invoker.InvokeSystemMessage(message)
	}
}

func (m *mailbox) suspend(suspended bool) {
	m.mu.Lock()
	m.suspended = suspended
	m.mu.Unlock()
}

// next takes the next message, system messages first. When there is none that
// may be handled it gives up the turn under the same lock, so that whoever
// posts next knows to schedule.
func (m *mailbox) next() (message any, system, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.system.len() > 0:
		return m.system.pop(), true, true
	case m.user.len() > 0 && !m.suspended:
		return m.user.pop(), false, true
	default:
		m.scheduled = false
		return nil, false, false
	}
}

// queue is a first-in first-out queue that holds no memory elsewhere while there
// is at most one message in it.
type queue struct {
	// first is the message to come, when there is any.
	first any
	some  bool
	// rest[head:] come behind it. Invariant: head <= len(rest); what is before
	// head is nil, and without a first message rest is nil.
	rest []any
	head int
}

func (q *queue) len() int {
	if !q.some {
		return 0
	}
	return 1 + len(q.rest) - q.head
}

func (q *queue) push(message any) {
	if !q.some {
		q.first, q.some = message, true
		return
	}
	if q.head > 0 && len(q.rest) == cap(q.rest) {
		// Room that was popped is used before the queue grows, else one that is
		// never quite empty would grow for ever.
		n := copy(q.rest, q.rest[q.head:])
		clear(q.rest[n:])
		q.rest, q.head = q.rest[:n], 0
	}
	q.rest = append(q.rest, message)
}

func (q *queue) pop() any {
	message := q.first
	if q.head == len(q.rest) {
		*q = queue{}
		return message
	}
	q.first = q.rest[q.head]
	q.rest[q.head] = nil
	q.head++
	return message
}
