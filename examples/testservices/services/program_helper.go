package services

import (
	restate "github.com/dormouse-run/dormouse/objects"
)

// EchoLater is a text to return after some milliseconds.
type EchoLater struct {
	Sleep     int64  `json:"sleep"`
	Parameter string `json:"parameter"`
}

// AwakeableAndName is an awakeable with the name of the command that made it.
type AwakeableAndName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// AwakeableDance asks to increment an interpreter once it has answered.
type AwakeableDance struct {
	Interpreter InterpreterID `json:"interpreter"`
	TxPromiseID string        `json:"txPromiseId"`
}

// programHelper is the service that interpreters call.
func programHelper() restate.ServiceDefinition {
	return restate.NewService(nameProgramHelper).
		Handler("ping", restate.NewServiceHandler(func(restate.Context, restate.Void) (restate.Void, error) { return restate.Void{}, nil })).
		Handler("echo", restate.NewServiceHandler(echo)).
		Handler("echoLater", restate.NewServiceHandler(echoLater)).
		Handler("terminalFailure", restate.NewServiceHandler(terminalFailure)).
		Handler("incrementIndirectly", restate.NewServiceHandler(incrementIndirectly)).
		Handler("resolveAwakeable", restate.NewServiceHandler(resolveForInterpreter)).
		Handler("rejectAwakeable", restate.NewServiceHandler(rejectForInterpreter)).
		Handler("incrementViaAwakeableDance", restate.NewServiceHandler(incrementViaAwakeableDance))
}

func echoLater(ctx restate.Context, e EchoLater) (string, error) {
	return e.Parameter, restate.Sleep(ctx, millis(e.Sleep))
}

func terminalFailure(restate.Context, restate.Void) (string, error) {
	return "", restate.TerminalErrorf("bye")
}

func incrementIndirectly(ctx restate.Context, id InterpreterID) (restate.Void, error) {
	if err := id.validate(); err != nil {
		return restate.Void{}, err
	}
	increment := Program{Commands: []ProgramStep{{Kind: IncrementStateCounter}}}
	restate.ObjectSend(ctx, id.service(), id.Key, "interpret").Send(increment)
	return restate.Void{}, nil
}

func resolveForInterpreter(ctx restate.Context, a AwakeableAndName) (restate.Void, error) {
	restate.ResolveAwakeable(ctx, a.ID, a.Name)
	return restate.Void{}, nil
}

func rejectForInterpreter(ctx restate.Context, a AwakeableAndName) (restate.Void, error) {
	restate.RejectAwakeable(ctx, a.ID, restate.TerminalErrorf("%s", a.Name))
	return restate.Void{}, nil
}

// incrementViaAwakeableDance gives the interpreter an awakeable for the one that
// it was given, and increments when that is answered.
func incrementViaAwakeableDance(ctx restate.Context, d AwakeableDance) (restate.Void, error) {
	theirs := restate.Awakeable[string](ctx)
	restate.ResolveAwakeable(ctx, d.TxPromiseID, theirs.Id())
	if _, err := theirs.Result(); err != nil {
		return restate.Void{}, err
	}
	return incrementIndirectly(ctx, d.Interpreter)
}

// throughHelper executes the commands that need the helper.
func (i *interpreter) throughHelper(n int, step ProgramStep) error {
	switch step.Kind {
	case CallService:
		i.expect(n, "echo", hello(n))
	case CallSlowService:
		i.expect(n, "echoLater", EchoLater{step.Sleep, hello(n)})
	case IncrementStateCounterIndirectly:
		i.send("incrementIndirectly", i.id)
	case IncrementViaDelayedCall:
		i.send("incrementIndirectly", i.id, restate.WithDelay(millis(step.Duration)))
	case RecoverTerminalCall:
		return i.expectFailure()()
	case RecoverTerminalCallMaybeUnawaited:
		i.pending[n] = i.expectFailure()
	case ResolveAwakeableThroughService:
		i.expectAnswer(n, "resolveAwakeable", func(value string, err restate.TerminalError) bool { return err == nil && value == hello(n) })
	case RejectAwakeableThroughService:
		i.expectAnswer(n, "rejectAwakeable", func(_ string, err restate.TerminalError) bool { return err != nil && err.Message() == hello(n) })
	case IncrementStateCounterViaAwakeable:
		return i.dance()
	default:
		return badRequest("the command %d is not known: use 1 to %d", int(step.Kind), int(CallNextLayerObject))
	}
	return nil
}

func (i *interpreter) send(handler string, input any, options ...restate.SendOption) {
	restate.ServiceSend(i.ctx, nameProgramHelper, handler).Send(input, options...)
}

// expect calls the helper, which has to return the text of command n.
func (i *interpreter) expect(n int, handler string, input any) {
	called := restate.Service[string](i.ctx, nameProgramHelper, handler).RequestFuture(input)
	i.pending[n] = func() error {
		got, err := called.Response()
		if err == nil && got != hello(n) {
			return wrong(got, hello(n))
		}
		return err
	}
}

func (i *interpreter) expectFailure() expectation {
	called := restate.Service[string](i.ctx, nameProgramHelper, "terminalFailure").RequestFuture(restate.Void{})
	return func() error {
		_, err := called.Response()
		switch {
		case err == nil:
			return wrong("no failure", "bye")
		case err.Code() == codeCancelled:
			return err
		default:
			return nil
		}
	}
}

// expectAnswer makes the helper answer an awakeable.
func (i *interpreter) expectAnswer(n int, handler string, right func(string, restate.TerminalError) bool) {
	answer := restate.Awakeable[string](i.ctx)
	i.send(handler, AwakeableAndName{answer.Id(), hello(n)})
	i.pending[n] = func() error {
		value, err := answer.Result()
		switch {
		case right(value, err):
			return nil
		case err != nil:
			return err
		default:
			return wrong(value, hello(n))
		}
	}
}

// dance exchanges awakeables with the helper, which then increments.
func (i *interpreter) dance() error {
	ours := restate.Awakeable[string](i.ctx)
	i.send("incrementViaAwakeableDance", AwakeableDance{i.id, ours.Id()})
	theirs, err := ours.Result()
	if err != nil {
		return err
	}
	restate.ResolveAwakeable(i.ctx, theirs, "ok")
	return nil
}
