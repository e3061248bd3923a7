package services

import (
	"os"

	restate "github.com/dormouse-run/dormouse/objects"
)

const stateResults = "results"

// InterpretRequest is a list of commands that are done in order.
type InterpretRequest struct {
	Commands []Command `json:"commands"`
}

// Command is one step. Its type says which of the other fields count:
//
//	awaitOne                         command
//	awaitAny, awaitFirstCompleted    commands: the first that is done, a failure as well
//	awaitAnySuccessful,
//	awaitFirstSucceededOrAllFailed   commands: the first success
//	awaitAllSucceededOrFirstFailed   commands: all values, or the first failure
//	awaitAllCompleted                commands: what has become of each
//	awaitAwakeableOrTimeout          awakeableKey, timeoutMillis
//	resolveAwakeable                 awakeableKey, value
//	rejectAwakeable                  awakeableKey, reason
//	getEnvVariable                   envName
type Command struct {
	Type          string      `json:"type"`
	Command       *Awaitable  `json:"command,omitempty"`
	Commands      []Awaitable `json:"commands,omitempty"`
	AwakeableKey  string      `json:"awakeableKey,omitempty"`
	TimeoutMillis int64       `json:"timeoutMillis,omitempty"`
	Value         string      `json:"value,omitempty"`
	Reason        string      `json:"reason,omitempty"`
	EnvName       string      `json:"envName,omitempty"`
}

// ResolveAwakeable answers the awakeable of a name.
type ResolveAwakeable struct {
	AwakeableKey string `json:"awakeableKey"`
	Value        string `json:"value"`
}

// RejectAwakeable rejects the awakeable of a name.
type RejectAwakeable struct {
	AwakeableKey string `json:"awakeableKey"`
	Reason       string `json:"reason"`
}

// commandInterpreter is an object that does what it is told. Its shared handlers
// answer its awakeables while interpretCommands waits for them.
func commandInterpreter() restate.ServiceDefinition {
	return restate.NewObject("VirtualObjectCommandInterpreter").
		Handler("interpretCommands", restate.NewObjectHandler(interpretCommands)).
		Handler("resolveAwakeable", restate.NewObjectSharedHandler(resolveNamed)).
		Handler("rejectAwakeable", restate.NewObjectSharedHandler(rejectNamed)).
		Handler("hasAwakeable", restate.NewObjectSharedHandler(hasNamed)).
		Handler("getResults", restate.NewObjectSharedHandler(getResults))
}

// interpretCommands returns the result of the last command. The first failure
// ends it.
func interpretCommands(ctx restate.ObjectContext, r InterpretRequest) (string, error) {
	result := ""
	for _, c := range r.Commands {
		var err restate.TerminalError
		if result, err = c.interpret(ctx); err != nil {
			return "", err
		}
		results, err := restate.Get[[]string](ctx, stateResults)
		if err != nil {
			return "", err
		}
		restate.Set(ctx, stateResults, append(results, result))
	}
	return result, nil
}

func (c *Command) interpret(ctx restate.ObjectContext) (string, restate.TerminalError) {
	switch c.Type {
	case "awaitAwakeableOrTimeout":
		return c.awakeableOrTimeout(ctx)
	case "resolveAwakeable":
		return "", resolveByName(ctx, ResolveAwakeable{c.AwakeableKey, c.Value})
	case "rejectAwakeable":
		return "", rejectByName(ctx, RejectAwakeable{c.AwakeableKey, c.Reason})
	case "getEnvVariable":
		read := func(restate.RunContext) (string, error) { return os.Getenv(c.EnvName), nil }
		return restate.Run(ctx, read, restate.WithName("getenv"))
	}
	combine, known := combinator(c.Type)
	if !known {
		return "", badRequest("the command %q is not known", c.Type)
	}
	commands := c.Commands
	if c.Command != nil {
		commands = append(commands, *c.Command)
	}
	if len(commands) == 0 {
		return "", badRequest("%s has nothing to wait for: give it commands", c.Type)
	}
	pending, err := startAll(ctx, commands)
	if err != nil {
		return "", err
	}
	return combine(ctx, pending)
}

func (c *Command) awakeableOrTimeout(ctx restate.ObjectContext) (string, restate.TerminalError) {
	answer := awakeableNamed(ctx, c.AwakeableKey)
	timeout := restate.After(ctx, millis(c.TimeoutMillis))
	first, err := restate.WaitFirst(ctx, answer, timeout)
	if err != nil {
		return "", err
	}
	if first == timeout {
		return "", restate.TerminalErrorf("await-timeout")
	}
	return answer.Result()
}

func getResults(ctx restate.ObjectSharedContext, _ restate.Void) ([]string, error) {
	results, err := restate.Get[[]string](ctx, stateResults)
	if results == nil {
		results = []string{}
	}
	return results, err
}
