package services

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Awaitable is something to start and to wait for. Its type says which of the
// other fields count:
//
//	createAwakeable             awakeableKey
//	createSignal                signalName
//	sleep                       timeoutMillis
//	runReturns                  value
//	runThrowTerminalException   reason
type Awaitable struct {
	Type          string `json:"type"`
	AwakeableKey  string `json:"awakeableKey,omitempty"`
	SignalName    string `json:"signalName,omitempty"`
	TimeoutMillis int64  `json:"timeoutMillis,omitempty"`
	Value         string `json:"value,omitempty"`
	Reason        string `json:"reason,omitempty"`
}

// pending is an Awaitable that was started.
type pending struct {
	restate.Future
	result func() (string, restate.TerminalError)
}

// startAll starts all before anything is waited for.
func startAll(ctx restate.ObjectContext, awaitables []Awaitable) ([]pending, restate.TerminalError) {
	all := make([]pending, len(awaitables))
	for i, a := range awaitables {
		var err restate.TerminalError
		if all[i], err = a.start(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (a *Awaitable) start(ctx restate.ObjectContext) (pending, restate.TerminalError) {
	switch a.Type {
	case "createAwakeable":
		answer := awakeableNamed(ctx, a.AwakeableKey)
		return pending{answer, answer.Result}, nil
	case "createSignal":
		signal := restate.Signal[string](ctx, a.SignalName)
		return pending{signal, signal.Result}, nil
	case "sleep":
		timer := restate.After(ctx, millis(a.TimeoutMillis))
		return pending{timer, func() (string, restate.TerminalError) { return "sleep", timer.Done() }}, nil
	case "runReturns":
		return started(ctx, func(restate.RunContext) (string, error) { return a.Value, nil }), nil
	case "runThrowTerminalException":
		return started(ctx, func(restate.RunContext) (string, error) { return "", restate.TerminalErrorf("%s", a.Reason) }), nil
	default:
		return pending{}, badRequest("the command %q is not known", a.Type)
	}
}

func started(ctx restate.ObjectContext, closure func(restate.RunContext) (string, error)) pending {
	run := restate.RunAsync(ctx, closure, restate.WithName("run"))
	return pending{run, run.Result}
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
