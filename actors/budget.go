package actors

import (
	"sync/atomic"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// The budget of commits says how many groups stand in the way of whoever asks
// for something, and how many rows that costs. Here is what tells whether it is
// kept: each time that somebody has waited for a group, by why, and the outputs
// and rows by the event that made them. Together with the counts of invocations
// that gives both figures for one of them, also in production.

// commitWait is why somebody waits for a group of commits. Each is one wait,
// however many share the group.
type commitWait uint8

const (
	// waitAnswer: a request waits for its answer.
	waitAnswer commitWait = iota
	// waitRun: a handler waits for the result of a Run.
	waitRun
	// waitBarrier: a closure of Run waits for what its handler has seen. One that
	// finds all of it durable does not wait.
	waitBarrier
	// waitDelivery: a row for another key waits to be handed over.
	waitDelivery
	// waitSuspension: a handler waits to be taken out of memory.
	waitSuspension
	// waitStart: an attempt waits, because a death of the process is counted
	// against it.
	waitStart
	commitWaits
)

// String returns the word of the metric.
func (w commitWait) String() string {
	switch w {
	case waitAnswer:
		return "answer"
	case waitRun:
		return "run"
	case waitBarrier:
		return "barrier"
	case waitDelivery:
		return "delivery"
	case waitSuspension:
		return "suspension"
	case waitStart:
		return "start"
	default:
		return "unknown"
	}
}

// eventKind sorts the events of the machine by what they cost.
type eventKind uint8

const (
	eventInvoke eventKind = iota
	// eventAppend and eventEnd are what an attempt writes; eventEnd its last.
	eventAppend
	eventEnd
	eventPark
	eventSignal
	eventReturned
	eventTimer
	eventOther
	eventKinds
)

// String returns the word of the metric.
func (k eventKind) String() string {
	switch k {
	case eventInvoke:
		return "invoke"
	case eventAppend:
		return "append"
	case eventEnd:
		return "end"
	case eventPark:
		return "park"
	case eventSignal:
		return "signal"
	case eventReturned:
		return "returned"
	case eventTimer:
		return "timer"
	default:
		return "other"
	}
}

func kindOf(ev machine.Event) eventKind {
	switch ev := ev.(type) {
	case *machine.Invoke:
		return eventInvoke
	case *machine.Append:
		if ev.Ended {
			return eventEnd
		}
		return eventAppend
	case *machine.Park:
		return eventPark
	case *machine.Signal:
		return eventSignal
	case *machine.Returned:
		return eventReturned
	case *machine.Wake:
		return eventTimer
	default:
		return eventOther
	}
}

// budgetMeter counts waits and rows. The zero value is ready; it may be used
// concurrently.
type budgetMeter struct {
	waits  [commitWaits]atomic.Uint64
	events [eventKinds]struct{ outputs, rows atomic.Uint64 }
}

// wrote counts an output with rows.
func (m *budgetMeter) wrote(ev machine.Event, rows int) {
	e := &m.events[kindOf(ev)]
	e.outputs.Add(1)
	e.rows.Add(uint64(rows))
}

// waited counts one wait.
func (m *budgetMeter) waited(why commitWait) { m.waits[why].Add(1) }

// released counts whoever has waited for an effect that is performed now.
// Answers are counted by who is there to get them.
func (m *budgetMeter) released(ef machine.Effect) {
	switch ef := ef.(type) {
	case *machine.Notify:
		m.waited(waitRun)
	case *machine.Deliver:
		m.waited(waitDelivery)
	case *machine.StartAttempt:
		m.waited(waitStart)
	case *machine.StopAttempt:
		if ef.Reason == machine.StopSuspended {
			m.waited(waitSuspension)
		}
	}
}

// WaitCount counts what has waited for a group of commits for one reason: an
// answer of a request, the result of a run, the barrier in front of a Run whose
// handler has seen what is not durable, a delivery to another key, a suspension,
// or the start of an attempt.
type WaitCount struct {
	Reason string
	Count  uint64
}

// EventCount counts the outputs with rows of one kind of event, and their rows,
// before a group drops what it overwrites itself: invoke, append (what a handler
// writes), end (of a handler), park, signal, returned (the result of a call),
// timer, or other.
type EventCount struct {
	Event         string
	Outputs, Rows uint64
}

func (m *budgetMeter) readWaits() []WaitCount {
	list := make([]WaitCount, commitWaits)
	for why := range commitWaits {
		list[why] = WaitCount{Reason: why.String(), Count: m.waits[why].Load()}
	}
	return list
}

func (m *budgetMeter) readEvents() []EventCount {
	list := make([]EventCount, eventKinds)
	for k := range eventKinds {
		e := &m.events[k]
		list[k] = EventCount{Event: k.String(), Outputs: e.outputs.Load(), Rows: e.rows.Load()}
	}
	return list
}
