package actors

import (
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
)

// Bounds of one Append. A payload may be written twice, in the journal and in
// the row that carries its effect, and both have to fit one batch of the store.
const (
	maxAppendCommands = 256
	maxAppendBytes    = 256 << 10
	// entryOverhead is what an entry costs beside its body.
	entryOverhead = 96
	// fewProposals is how many of them a short handler makes, its output included.
	fewProposals = 4
)

// outbound is what an attempt has written and its actor has not taken, guarded
// by the attempt. At most one message about it is on its way to the actor, which
// takes everything it finds.
type outbound struct {
	proposals []machine.Proposal
	// bytes are those of proposals; applied are those which the actor has
	// taken and which are not durable.
	bytes, applied int
	// held says that the handler waits for room.
	held bool
	// output is the last command. It waits for the handler to return, because
	// it is stored together with the end.
	output    machine.Proposal
	hasOutput bool
	// posted says that a message is on its way.
	posted bool
	// outcome has a kind when the handler has ended; final says that it counts
	// and has not been taken.
	outcome objects.Outcome
	final   bool
}

// outgoing is one step of what an actor takes.
type outgoing struct {
	// event is an Append or a Fail, nil when there is nothing.
	event machine.Event
	bytes int
	// over says that no code of the attempt is left.
	over bool
}

// post tells the actor of the key that there is something to take.
func (a *attempt) post() {
	a.mu.Lock()
	posted := a.out.posted
	a.out.posted = true
	a.mu.Unlock()
	if !posted {
		a.rt.registry.deliver(a.entry.key, a.entry.partition, a)
	}
}

// opened starts the taking of everything there is. What is written from now on
// is posted again.
func (a *attempt) opened() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.out.posted = false
}

// next takes the next step. The actor calls it until event is nil.
func (a *attempt) next() outgoing {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.out.proposals) > 0 {
		return a.nextAppend()
	}
	if !a.out.final {
		return outgoing{over: a.phase == phaseOver}
	}
	if a.out.outcome.Kind == objects.OutcomeEnded && a.out.hasOutput {
		return a.nextAppend()
	}
	a.out.final = false
	switch {
	case a.stopped != 0 || a.rt.draining.Load():
		return outgoing{over: a.phase == phaseOver}
	case a.out.outcome.Kind == objects.OutcomeFailed:
		return outgoing{event: a.failure(a.out.outcome.Failure)}
	default:
		return outgoing{event: a.failure(objects.AttemptFailure{Code: 500, Message: "the handler ended without a result and without being asked to", CommandIndex: -1})}
	}
}

// nextAppend takes as much as fits one output. The caller holds mu.
func (a *attempt) nextAppend() outgoing {
	ev := &machine.Append{Birth: a.birth, Epoch: a.epoch}
	n, bytes := 0, 0
	for n < len(a.out.proposals) && n < maxAppendCommands {
		size := proposalBytes(&a.out.proposals[n])
		if n > 0 && bytes+size > maxAppendBytes {
			break
		}
		bytes += size
		n++
	}
	if n == len(a.out.proposals) {
		ev.Proposals, a.out.proposals = a.out.proposals, nil
		bytes += a.takeEnd(ev, n)
	} else {
		ev.Proposals, a.out.proposals = a.out.proposals[:n:n], a.out.proposals[n:]
	}
	a.out.bytes -= bytes
	a.out.applied += bytes
	return outgoing{event: ev, bytes: bytes}
}

// takeEnd adds the end of the handler to the Append that holds everything else,
// when it has ended and there is room.
func (a *attempt) takeEnd(ev *machine.Append, n int) (bytes int) {
	if !a.out.final || a.out.outcome.Kind != objects.OutcomeEnded || !a.out.hasOutput || n >= maxAppendCommands {
		return 0
	}
	ev.Proposals = append(ev.Proposals, a.out.output)
	ev.Ended = true
	bytes = proposalBytes(&a.out.output)
	a.out.output, a.out.hasOutput, a.out.final = machine.Proposal{}, false, false
	return bytes
}

func proposalBytes(p *machine.Proposal) int { return len(p.Entry.Body) + entryOverhead }

// settled says that bytes which the actor had taken are durable.
func (a *attempt) settled(bytes int) {
	if bytes == 0 {
		return
	}
	a.mu.Lock()
	a.out.applied -= bytes
	held := a.out.held
	a.mu.Unlock()
	if held {
		a.rouse()
	}
}

// failure makes the event that ends the attempt with a retryable error.
func (a *attempt) failure(f objects.AttemptFailure) *machine.Fail {
	ev := &machine.Fail{
		Birth: a.birth, Epoch: a.epoch, Unlimited: f.Unlimited, Policy: notBoundPolicy(), Jitter: a.rt.random.jitter(),
		Failure: machine.FailureEvent{
			Code: f.Code, Message: f.Message, CommandIndex: f.CommandIndex, CommandType: f.CommandType, CommandName: f.CommandName,
		},
	}
	if a.bound != nil {
		ev.Policy = a.bound.policy
	}
	if f.RetryAfter != nil {
		ev.Delay = new(f.RetryAfter.Milliseconds())
	}
	return ev
}

// Append implements objects.Host.
func (a *attempt) Append(c journal.Command, allocated journal.Allocated) objects.Verdict {
	if a.muted.Load() {
		return objects.Unwind
	}
	p := machine.Proposal{
		Entry:  journal.NewEntry(c, 0, journal.Sidecar{Allocated: allocated}),
		Parsed: c,
		Callee: a.rt.callee(c),
	}
	if c.Type() == journal.TypeOutput {
		a.mu.Lock()
		a.out.output, a.out.hasOutput = p, true
		a.out.bytes += proposalBytes(&p)
		a.mu.Unlock()
		return objects.Proceed
	}
	if v := a.hold(proposalBytes(&p)); v != objects.Proceed {
		return v
	}
	a.mu.Lock()
	a.active, a.handedOut = true, allocated.Signals
	if a.out.proposals == nil {
		a.out.proposals = make([]machine.Proposal, 0, fewProposals)
	}
	a.out.proposals = append(a.out.proposals, p)
	a.out.bytes += proposalBytes(&p)
	a.mu.Unlock()
	if !lazy(c.Type()) {
		a.post()
	}
	return objects.Proceed
}

// lazy reports whether a command may wait for the next one: nobody but the
// handler sees it.
func lazy(t journal.Type) bool {
	return t == journal.TypeGetEagerState || t == journal.TypeGetEagerStateKeys || t == journal.TypeRun
}

// hold keeps the handler while too much of what it wrote is not durable, and
// while the store is short of something. Meanwhile others have its slot.
func (a *attempt) hold(more int) objects.Verdict {
	for waited := false; ; {
		a.mu.Lock()
		undurable := a.out.bytes + a.out.applied
		full := undurable > 0 && undurable+more > a.rt.options.MaxUndurable
		a.out.held = full
		a.mu.Unlock()
		switch {
		case a.muted.Load():
			return objects.Unwind
		case full:
			a.post()
		case !a.rt.pressed.Load() || a.rt.draining.Load():
			if waited {
				return a.regainSlot()
			}
			return objects.Proceed
		}
		a.giveUpSlot()
		if !waited {
			waited = true
			a.arm() // and look again
			continue
		}
		a.wake.Wait()
	}
}

// Propose implements objects.Host.
func (a *attempt) Propose(completion uint32, r journal.Result) {
	n := journal.Notification{Type: journal.TypeRunCompletion, ID: journal.CompletionID(completion), Result: r}
	p := machine.Proposal{Entry: n.Entry(0)}
	a.mu.Lock()
	mute := a.phase == phaseOver || a.stopped != 0 && a.stopped != stopShutdown
	if !mute {
		a.out.proposals = append(a.out.proposals, p)
		a.out.bytes += proposalBytes(&p)
	}
	a.mu.Unlock()
	if !mute {
		a.post()
	}
}
