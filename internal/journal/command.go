package journal

// Command is what a handler issued. The set is closed: the pointer types of
// this file. AppendBody (in encode.go) writes the body, DecodeCommand reads it.
//
// Byte slices inside a command are immutable once it was handed on.
type Command interface {
	// Type returns the type code of the command.
	Type() Type
	// EntryName returns the display name that the user gave, or "".
	EntryName() string
	// AppendBody appends the protobuf body to b and returns it.
	AppendBody(b []byte) []byte
}

// Header is one name and value of an input or a call.
type Header struct{ Key, Value string }

// Result is the outcome of a command, or what a notification carries. The zero
// Result has kind ResultNone, which only stands where the protocol has an
// optional result.
type Result struct {
	Kind ResultKind
	// Value holds the bytes of ResultValue.
	Value []byte
	// Failure is set for ResultFailure only.
	Failure *Failure
	// InvocationID is the text of ResultInvocationID.
	InvocationID string
	// StateKeys is the list of ResultStateKeys.
	StateKeys []string
}

// ResultKind tells the members of the protocol's result union apart.
type ResultKind uint8

// Kinds of a Result.
const (
	ResultNone ResultKind = iota
	ResultVoid
	ResultValue
	ResultFailure
	ResultInvocationID
	ResultStateKeys
)

// String returns the protocol's name of the member.
func (k ResultKind) String() string {
	switch k {
	case ResultNone:
		return "none"
	case ResultVoid:
		return "void"
	case ResultValue:
		return "value"
	case ResultFailure:
		return "failure"
	case ResultInvocationID:
		return "invocation_id"
	case ResultStateKeys:
		return "state_keys"
	default:
		return "unknown"
	}
}

// Failure is a terminal error as the protocol carries it.
type Failure struct {
	Code    uint32
	Message string
	// Metadata is ordered by key.
	Metadata []Header
}

// ValueOf, VoidResult and FailureOf build the common results.
func ValueOf(b []byte) Result { return Result{Kind: ResultValue, Value: b} }

// VoidResult is the result without content.
func VoidResult() Result { return Result{Kind: ResultVoid} }

// FailureOf builds a failed result.
func FailureOf(code uint32, message string) Result {
	return Result{Kind: ResultFailure, Failure: &Failure{Code: code, Message: message}}
}

// Input starts every journal. The engine writes it.
type Input struct {
	Headers []Header
	Value   []byte
	Name    string
}

// Output is the result of the handler: ResultValue or ResultFailure.
type Output struct {
	Result Result
	Name   string
}

// GetLazyState reads a state value through a completion.
type GetLazyState struct {
	Key        string
	Completion uint32
	Name       string
}

// SetState writes a state value.
type SetState struct {
	Key   string
	Value []byte
	Name  string
}

// ClearState removes a state value.
type ClearState struct{ Key, Name string }

// ClearAllState removes all state of the key.
type ClearAllState struct{ Name string }

// GetLazyStateKeys lists the state names through a completion.
type GetLazyStateKeys struct {
	Completion uint32
	Name       string
}

// GetEagerState is a read whose result the host knew: ResultVoid when the
// value is absent, else ResultValue.
type GetEagerState struct {
	Key    string
	Result Result
	Name   string
}

// GetEagerStateKeys is a listing whose result the host knew.
type GetEagerStateKeys struct {
	Keys []string
	Name string
}

// GetPromise awaits a promise of a workflow.
type GetPromise struct {
	Key        string
	Completion uint32
	Name       string
}

// PeekPromise reads a promise without waiting.
type PeekPromise struct {
	Key        string
	Completion uint32
	Name       string
}

// CompletePromise completes a promise with ResultValue or ResultFailure.
type CompletePromise struct {
	Key        string
	Result     Result
	Completion uint32
	Name       string
}

// Sleep completes at WakeUpAt, in milliseconds since the epoch.
type Sleep struct {
	WakeUpAt   uint64
	Completion uint32
	Name       string
}

// Call invokes a handler and awaits its result.
type Call struct {
	Service, Handler string
	Parameter        []byte
	Headers          []Header
	Key              string
	// IdempotencyKey is nil when absent; present and empty differ on the wire.
	IdempotencyKey *string
	// InvocationIDCompletion answers with the callee's id, Completion with its
	// result.
	InvocationIDCompletion uint32
	Completion             uint32
	Name                   string
}

// OneWayCall invokes a handler and does not await it.
type OneWayCall struct {
	Service, Handler string
	Parameter        []byte
	// InvokeAt is in milliseconds since the epoch, 0 for now.
	InvokeAt               uint64
	Headers                []Header
	Key                    string
	IdempotencyKey         *string
	InvocationIDCompletion uint32
	Name                   string
}

// SendSignal sends a signal, by index or by name, to an invocation: ResultVoid,
// ResultValue or ResultFailure.
type SendSignal struct {
	Target string
	// Index is used when Named is false.
	Index  uint32
	Signal string
	Named  bool
	Result Result
	Name   string
}

// Run stands for a side effect, whose result arrives as a notification.
type Run struct {
	Completion uint32
	Name       string
}

// AttachInvocation awaits the result of another invocation.
type AttachInvocation struct {
	Target     AttachTarget
	Completion uint32
	Name       string
}

// GetOutput reads the result of another invocation without waiting.
type GetOutput struct {
	Target     AttachTarget
	Completion uint32
	Name       string
}

// AttachTarget names an invocation in one of three ways; exactly one field is
// set.
type AttachTarget struct {
	InvocationID string
	Idempotent   *IdempotentTarget
	Workflow     *WorkflowTarget
}

// IdempotentTarget names an invocation by its idempotency key. Key is nil for
// a plain service.
type IdempotentTarget struct {
	Service        string
	Key            *string
	Handler        string
	IdempotencyKey string
}

// WorkflowTarget names the run of a workflow.
type WorkflowTarget struct{ Service, Key string }

// CompleteAwakeable resolves (ResultValue) or rejects (ResultFailure) an
// awakeable of any invocation.
type CompleteAwakeable struct {
	AwakeableID string
	Result      Result
	Name        string
}
