package services

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	restate "github.com/dormouse-run/dormouse/objects"
)

// programLayers is how many layers of interpreters there are. One layer calls
// only the next, so that no key ever waits for itself.
const programLayers = 3

// ProgramCommand is the number of a command.
type ProgramCommand int

// Commands, by the numbers that the generator of programs writes.
const (
	SetState ProgramCommand = iota + 1
	GetState
	ClearState
	IncrementStateCounter
	IncrementStateCounterIndirectly
	SleepFor
	CallService
	CallSlowService
	IncrementViaDelayedCall
	SideEffect
	ThrowingSideEffect
	SlowSideEffect
	RecoverTerminalCall
	RecoverTerminalCallMaybeUnawaited
	AwaitPromise
	ResolveAwakeableThroughService
	RejectAwakeableThroughService
	IncrementStateCounterViaAwakeable
	CallNextLayerObject
)

// String returns the name of the command.
func (c ProgramCommand) String() string {
	names := strings.Fields("SetState GetState ClearState IncrementStateCounter IncrementStateCounterIndirectly SleepFor CallService " +
		"CallSlowService IncrementViaDelayedCall SideEffect ThrowingSideEffect SlowSideEffect RecoverTerminalCall " +
		"RecoverTerminalCallMaybeUnawaited AwaitPromise ResolveAwakeableThroughService RejectAwakeableThroughService " +
		"IncrementStateCounterViaAwakeable CallNextLayerObject")
	if c < 1 || int(c) > len(names) {
		return "command " + strconv.Itoa(int(c))
	}
	return names[c-1]
}

// Program is what an interpreter does.
type Program struct {
	Commands []ProgramStep `json:"commands"`
}

// ProgramStep is one command with its parameters; which of them count depends on
// the command.
type ProgramStep struct {
	Kind ProgramCommand `json:"kind"`
	// Key is the number of a state value, or of an object of the next layer.
	Key int `json:"key,omitempty"`
	// Duration and Sleep are in milliseconds.
	Duration int64 `json:"duration,omitempty"`
	Sleep    int64 `json:"sleep,omitempty"`
	// Index is that of the command whose result is waited for.
	Index int `json:"index,omitempty"`
	// Program is for the object of the next layer.
	Program Program `json:"program,omitzero"`
}

// InterpreterID names one interpreter.
type InterpreterID struct {
	Layer int    `json:"layer"`
	Key   string `json:"key"`
}

func (i InterpreterID) service() string { return nameProgram + strconv.Itoa(i.Layer) }

// validate refuses what no interpreter could serve.
func (i InterpreterID) validate() restate.TerminalError {
	if i.Layer < 0 || i.Layer >= programLayers {
		return badRequest("there is no layer %d: use 0 to %d", i.Layer, programLayers-1)
	}
	return nil
}

// programInterpreter is an object that executes programs, and counts in its
// state what they were to increment.
func programInterpreter(layer int) restate.ServiceDefinition {
	id := InterpreterID{Layer: layer}
	return restate.NewObject(id.service()).
		Handler("counter", restate.NewObjectSharedHandler(getCount)).
		Handler("interpret", restate.NewObjectHandler(func(ctx restate.ObjectContext, p Program) (restate.Void, error) {
			i := interpreter{ctx: ctx, id: InterpreterID{layer, restate.Key(ctx)}, pending: map[int]expectation{}}
			for n, step := range p.Commands {
				if err := i.interpret(n, step); err != nil {
					return restate.Void{}, err
				}
			}
			return restate.Void{}, nil
		}))
}

// interpreter executes one program.
type interpreter struct {
	ctx restate.ObjectContext
	id  InterpreterID
	// pending holds results that a later AwaitPromise may wait for, by the index
	// of their command.
	pending map[int]expectation
}

// expectation waits for a result and fails when it is another one than it has to
// be.
type expectation func() error

// wrong ends a program whose results are not what they have to be.
func wrong(got, want any) error {
	return restate.TerminalErrorf("the result is %v, and should be %v", text(got), text(want))
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
