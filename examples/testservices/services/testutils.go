package services

import (
	"os"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// ResolveSignalRequest sends a value to an invocation.
type ResolveSignalRequest struct {
	InvocationID string `json:"invocationId"`
	SignalName   string `json:"signalName"`
	Value        string `json:"value"`
}

// RejectSignalRequest sends a failure to an invocation.
type RejectSignalRequest struct {
	InvocationID string `json:"invocationId"`
	SignalName   string `json:"signalName"`
	Reason       string `json:"reason"`
}

// testUtils is a service of small things.
func testUtils() restate.ServiceDefinition {
	return restate.NewService("TestUtilsService").
		Handler("echo", restate.NewServiceHandler(echo)).
		Handler("uppercaseEcho", restate.NewServiceHandler(uppercaseEcho)).
		Handler("echoHeaders", restate.NewServiceHandler(echoHeaders)).
		Handler("rawEcho", restate.NewServiceHandler(rawEcho, restate.WithBinary)).
		Handler("sleepConcurrently", restate.NewServiceHandler(sleepConcurrently)).
		Handler("countExecutedSideEffects", restate.NewServiceHandler(countExecutedSideEffects)).
		Handler("getEnvVariable", restate.NewServiceHandler(getEnvVariable)).
		Handler("cancelInvocation", restate.NewServiceHandler(cancelInvocation)).
		Handler("resolveSignal", restate.NewServiceHandler(resolveSignal)).
		Handler("rejectSignal", restate.NewServiceHandler(rejectSignal))
}

func echo(_ restate.Context, text string) (string, error) { return text, nil }

func uppercaseEcho(_ restate.Context, text string) (string, error) {
	return strings.ToUpper(text), nil
}

func echoHeaders(ctx restate.Context, _ restate.Void) (map[string]string, error) {
	return ctx.Request().Headers.ToMap(), nil
}

func rawEcho(_ restate.Context, body []byte) ([]byte, error) { return body, nil }

// sleepConcurrently starts all timers, and then waits for all of them.
func sleepConcurrently(ctx restate.Context, millis []int64) (restate.Void, error) {
	timers := make([]restate.AfterFuture, len(millis))
	for i, n := range millis {
		timers[i] = restate.After(ctx, time.Duration(n)*time.Millisecond)
	}
	for _, timer := range timers {
		if err := timer.Done(); err != nil {
			return restate.Void{}, err
		}
	}
	return restate.Void{}, nil
}

// countExecutedSideEffects returns how many of its closures were executed in the
// attempt that returned; those of earlier ones are answered from the journal.
func countExecutedSideEffects(ctx restate.Context, runs int) (int, error) {
	executed := 0
	for range runs {
		err := restate.RunVoid(ctx, func(restate.RunContext) error {
			executed++
			return nil
		}, restate.WithName("count"))
		if err != nil {
			return 0, err
		}
	}
	return executed, nil
}

// getEnvVariable reads the environment in a Run: the next process may have
// another one.
func getEnvVariable(ctx restate.Context, name string) (string, error) {
	return restate.Run(ctx, func(restate.RunContext) (string, error) { return os.Getenv(name), nil }, restate.WithName("getenv"))
}

func cancelInvocation(ctx restate.Context, id string) (restate.Void, error) {
	restate.CancelInvocation(ctx, id)
	return restate.Void{}, nil
}

func resolveSignal(ctx restate.Context, r ResolveSignalRequest) (restate.Void, error) {
	restate.ResolveSignal(ctx, r.InvocationID, r.SignalName, r.Value)
	return restate.Void{}, nil
}

func rejectSignal(ctx restate.Context, r RejectSignalRequest) (restate.Void, error) {
	restate.RejectSignal(ctx, r.InvocationID, r.SignalName, restate.TerminalErrorf("%s", r.Reason))
	return restate.Void{}, nil
}
