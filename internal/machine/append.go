package machine

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// append stores what a running attempt wrote, in order, each command with its
// effect and the completions that are known at once.
func (t *transition) append(ev *Append) []Need {
	inv := t.attempt(ev.Birth, ev.Epoch)
	if inv == nil {
		t.now(&StopAttempt{Birth: ev.Birth, Epoch: ev.Epoch, Reason: StopKilled})
		return nil
	}
	if needs := t.needForAppend(inv, ev); needs != nil {
		return needs
	}
	if len(ev.Proposals) > 0 && inv.row.Retry != (Retry{}) {
		inv.row.Retry = Retry{}
	}
	var output journal.Result
	for i := range ev.Proposals {
		p := &ev.Proposals[i]
		if p.Parsed == nil {
			t.runResult(inv, p.Entry)
			continue
		}
		t.appendEntry(inv, p.sidecared())
		inv.row.Allocated = journal.Allocated{}
		if p.Entry.Sidecar.Allocated.Signals > 0 {
			inv.row.IssuedAwakeables = true
		}
		if failure := t.command(inv, p, &output); failure != nil {
			t.complete(inv, journal.Result{Kind: journal.ResultFailure, Failure: failure}, writeOutput)
			t.now(&StopAttempt{Birth: ev.Birth, Epoch: ev.Epoch, Reason: StopKilled})
			return nil
		}
	}
	if ev.Ended {
		t.complete(inv, output, outputWritten)
	}
	return nil
}

// attempt returns the invocation whose live attempt this is, nil for an old
// one.
func (t *transition) attempt(birth, epoch ident.Seq) *invocation {
	inv := t.invocations[birth]
	if inv == nil || !inv.live || inv.row.Epoch != epoch {
		return nil
	}
	return inv
}

// sidecared returns the entry with what its target was resolved to.
func (p *Proposal) sidecared() journal.Entry {
	e := p.Entry
	if p.Callee != nil {
		e.Sidecar.Callee, e.Sidecar.CalleeKind = p.Callee.ID, p.Callee.Target.Kind
	}
	return e
}

// needForAppend asks for the state rows that commands change or read, and for
// what the end of the invocation takes.
func (t *transition) needForAppend(inv *invocation, ev *Append) []Need {
	for i := range ev.Proposals {
		if needs := t.needForCommand(ev.Proposals[i].Parsed); needs != nil {
			return needs
		}
		if t.mayEnd(&ev.Proposals[i]) {
			if needs := t.needForEnd(inv); needs != nil {
				return needs
			}
		}
	}
	if ev.Ended {
		return t.needForEnd(inv)
	}
	return nil
}

func (t *transition) needForCommand(c journal.Command) []Need {
	switch c := c.(type) {
	case *journal.SetState:
		return t.state.need(c.Key)
	case *journal.ClearState:
		return t.state.need(c.Key)
	case *journal.GetLazyState:
		return t.state.need(c.Key)
	case *journal.GetLazyStateKeys:
		return t.state.needNames()
	case *journal.GetPromise:
		return t.needPromise(c.Key, false)
	case *journal.PeekPromise:
		return t.needPromise(c.Key, false)
	case *journal.CompletePromise:
		return t.needPromise(c.Key, true)
	default:
		return nil
	}
}

// mayEnd reports whether a command can be refused by ending the invocation.
func (t *transition) mayEnd(p *Proposal) bool {
	switch p.Parsed.(type) {
	case *journal.OneWayCall:
		return p.Callee == nil || !p.Callee.Known
	case *journal.SendSignal, *journal.CompleteAwakeable:
		return true
	case nil, *journal.SetState, *journal.ClearState, *journal.ClearAllState, *journal.GetEagerState, *journal.GetEagerStateKeys,
		*journal.GetLazyState, *journal.GetLazyStateKeys, *journal.GetPromise, *journal.PeekPromise, *journal.CompletePromise,
		*journal.Sleep, *journal.Call, *journal.Run, *journal.AttachInvocation, *journal.Output:
		return false
	default:
		return true
	}
}

// runResult stores the result of a Run. The attempt gets it once it is durable.
func (t *transition) runResult(inv *invocation, e journal.Entry) {
	n, err := journal.DecodeNotification(e.Type, e.Body)
	if err != nil {
		panic(fmt.Sprintf("machine: a run result of %s does not decode: %v", inv.row.ID, err))
	}
	t.notify(inv, n)
}

// command performs the effect of a command. A failure ends the invocation.
func (t *transition) command(inv *invocation, p *Proposal, output *journal.Result) *journal.Failure {
	switch c := p.Parsed.(type) {
	case *journal.Output:
		*output = c.Result
	case *journal.Run, *journal.GetEagerState, *journal.GetEagerStateKeys:
	case *journal.SetState:
		t.setState(c.Key, c.Value)
	case *journal.ClearState:
		t.clearState(c.Key)
	case *journal.ClearAllState:
		t.clearAllState()
	case *journal.GetLazyState:
		t.complete1(inv, journal.TypeLazyStateCompletion, c.Completion, t.stateResult(c.Key))
	case *journal.GetLazyStateKeys:
		t.complete1(inv, journal.TypeLazyStateKeysCompletion, c.Completion, journal.Result{Kind: journal.ResultStateKeys, StateKeys: t.state.names()})
	case *journal.Sleep:
		t.sleep(inv, c)
	case *journal.Call:
		t.call(inv, c, p.Callee)
	case *journal.OneWayCall:
		return t.oneWayCall(inv, c, p.Callee)
	case *journal.SendSignal:
		return t.sendSignal(inv, c)
	case *journal.CompleteAwakeable:
		return t.completeAwakeable(inv, c)
	case *journal.AttachInvocation:
		t.attachInvocation(inv, c)
	case *journal.GetPromise:
		t.getPromise(inv, c)
	case *journal.PeekPromise:
		t.peekPromise(inv, c)
	case *journal.CompletePromise:
		t.completePromise(inv, c)
	default:
		return &journal.Failure{Code: 571, Message: fmt.Sprintf("the command %s is not supported by this runtime", p.Entry.Type)}
	}
	return nil
}

// complete1 appends a completion that is known at once.
func (t *transition) complete1(inv *invocation, typ journal.Type, completion uint32, r journal.Result) {
	t.notify(inv, journal.Notification{Type: typ, ID: journal.CompletionID(completion), Result: r})
}

func (t *transition) setState(name string, value []byte) {
	row, dropRow := t.state.set(name, value, t.at.Seq)
	switch {
	case row != nil:
		t.put(row)
	case dropRow:
		t.delete(t.state.rowKey(name))
	}
	t.headDirty = true
}

func (t *transition) clearState(name string) {
	if t.state.clear(name, t.at.Seq) {
		t.delete(t.state.rowKey(name))
	}
	t.headDirty = true
}

func (t *transition) clearAllState() {
	swept, drop := t.state.clearAll(t.at.Seq)
	if swept != 0 {
		t.leave(ChoreRow{Kind: ChoreSweepState, Generation: swept})
	}
	for _, k := range drop {
		t.delete(k)
	}
	t.headDirty = true
}

func (t *transition) stateResult(name string) journal.Result {
	if value, ok := t.state.get(name); ok {
		return journal.ValueOf(value)
	}
	return journal.VoidResult()
}

func (t *transition) sleep(inv *invocation, c *journal.Sleep) {
	due := int64(c.WakeUpAt)
	if due <= t.at.Now {
		t.complete1(inv, journal.TypeSleepCompletion, c.Completion, journal.VoidResult())
		return
	}
	t.expect(inv, &PendingRow{Completion: c.Completion, Due: due})
	t.setTimer(inv, due, c.Completion, 0)
}

// expect writes that a completion is owed.
func (t *transition) expect(inv *invocation, r *PendingRow) {
	r.Partition, r.Birth = inv.partition(), inv.row.Birth
	inv.setPending(r)
	t.putFresh(r)
	t.change(inv)
}

func (t *transition) call(inv *invocation, c *journal.Call, callee *Callee) {
	t.complete1(inv, journal.TypeCallInvocationID, c.InvocationIDCompletion, journal.Result{Kind: journal.ResultInvocationID, InvocationID: callee.ID.String()})
	if !callee.Known {
		failure := journal.FailureOf(404, fmt.Sprintf("no handler %s is bound: bind its service, or correct the name", callee.Target))
		t.complete1(inv, journal.TypeCallCompletion, c.Completion, failure)
		return
	}
	t.owe(inv, &Invoke{
		ID: callee.ID, Target: callee.Target, Headers: c.Headers, Value: c.Parameter, IdempotencyKey: deref(c.IdempotencyKey),
		InvokedBy: ByService, Caller: inv.caller(t.key, c.Completion), RandomSeed: callee.RandomSeed, Retention: callee.Retention, Alias: callee.Alias,
	})
	t.expect(inv, &PendingRow{Completion: c.Completion, Callee: callee.ID, Called: true})
}

func (t *transition) oneWayCall(inv *invocation, c *journal.OneWayCall, callee *Callee) *journal.Failure {
	if callee == nil || !callee.Known {
		return &journal.Failure{Code: 404, Message: fmt.Sprintf("no handler %s/%s is bound: bind its service, or correct the name", c.Service, c.Handler)}
	}
	t.complete1(inv, journal.TypeCallInvocationID, c.InvocationIDCompletion, journal.Result{Kind: journal.ResultInvocationID, InvocationID: callee.ID.String()})
	t.owe(inv, &Invoke{
		ID: callee.ID, Target: callee.Target, Headers: c.Headers, Value: c.Parameter, IdempotencyKey: deref(c.IdempotencyKey), StartAt: int64(c.InvokeAt),
		AnswerAccepted: true, InvokedBy: ByService, Caller: Caller{ID: inv.row.ID, Target: inv.row.Target}, RandomSeed: callee.RandomSeed, Retention: callee.Retention, Alias: callee.Alias,
	})
	return nil
}

func (inv *invocation) caller(key ident.ObjectKey, completion uint32) Caller {
	return Caller{ID: inv.row.ID, Target: inv.row.Target, ReplyTo: inv.address(key, completion)}
}

func (inv *invocation) address(key ident.ObjectKey, completion uint32) Address {
	return Address{Object: key, ID: inv.row.ID, Birth: inv.row.Birth, Completion: completion}
}

func (t *transition) sendSignal(inv *invocation, c *journal.SendSignal) *journal.Failure {
	target, err := ident.ParseInvocationID(c.Target)
	if err != nil {
		return &journal.Failure{Code: 400, Message: fmt.Sprintf("signal to %q: %v", c.Target, err)}
	}
	id := journal.SignalID(c.Index)
	if c.Named {
		id = journal.NamedSignalID(c.Signal)
	}
	if id == (journal.NotificationID{}) {
		return &journal.Failure{Code: 400, Message: "signal to " + c.Target + ": give the signal a name"}
	}
	t.owe(inv, &Signal{ID: target, Signal: id, Result: c.Result})
	return nil
}

func (t *transition) completeAwakeable(inv *invocation, c *journal.CompleteAwakeable) *journal.Failure {
	id, err := ident.ParseAwakeableID(c.AwakeableID)
	if err != nil {
		return &journal.Failure{Code: 400, Message: fmt.Sprintf("complete awakeable %q: %v", c.AwakeableID, err)}
	}
	t.owe(inv, &Signal{ID: id.Invocation, Signal: journal.SignalID(id.Index), Result: c.Result})
	return nil
}

func (t *transition) attachInvocation(inv *invocation, c *journal.AttachInvocation) {
	target, err := ident.ParseInvocationID(c.Target.InvocationID)
	if err != nil {
		t.complete1(inv, journal.TypeAttachCompletion, c.Completion, journal.FailureOf(400, fmt.Sprintf("attach to %q: %v", c.Target.InvocationID, err)))
		return
	}
	t.owe(inv, &Attach{ID: target, Waiter: inv.address(t.key, c.Completion)})
	t.expect(inv, &PendingRow{Completion: c.Completion, Callee: target})
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
