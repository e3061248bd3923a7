package journal

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers that commands share.
const (
	fieldInvocationIDCompletion = protowire.Number(10)
	fieldCompletion             = protowire.Number(11)
	fieldName                   = protowire.Number(12)
)

// The result unions of the commands.

func outputUnion() union     { return union{value: 14, failure: 15} }
func eagerStateUnion() union { return union{void: 13, value: 14} }
func completionUnion() union { return union{value: 2, failure: 3} }
func signalUnion() union     { return union{void: 4, value: 5, failure: 6} }

// NewEntry encodes a command as the entry to append. at is in milliseconds
// since the epoch.
func NewEntry(c Command, at int64, s Sidecar) Entry {
	return Entry{Type: c.Type(), Body: c.AppendBody(make([]byte, 0, sizeHint(c))), At: at, Sidecar: s}
}

// sizeHint is what a body needs at most in all but odd cases, so that encoding
// allocates once.
func sizeHint(c Command) int {
	const fixed = 32
	size := fixed + len(c.EntryName())
	switch c := c.(type) {
	case *Input:
		return size + len(c.Value) + headersHint(c.Headers)
	case *Output:
		return size + resultHint(&c.Result)
	case *SetState:
		return size + len(c.Key) + len(c.Value)
	case *GetEagerState:
		return size + len(c.Key) + resultHint(&c.Result)
	case *Call:
		return size + len(c.Service) + len(c.Handler) + len(c.Key) + len(c.Parameter) +
			optionalHint(c.IdempotencyKey) + headersHint(c.Headers)
	case *OneWayCall:
		return size + len(c.Service) + len(c.Handler) + len(c.Key) + len(c.Parameter) +
			optionalHint(c.IdempotencyKey) + headersHint(c.Headers)
	case *SendSignal:
		return size + len(c.Target) + len(c.Signal) + resultHint(&c.Result)
	case *CompleteAwakeable:
		return size + len(c.AwakeableID) + resultHint(&c.Result)
	case *CompletePromise:
		return size + len(c.Key) + resultHint(&c.Result)
	default:
		return size
	}
}

func headersHint(headers []Header) int {
	size := 0
	for i := range headers {
		size += 8 + len(headers[i].Key) + len(headers[i].Value)
	}
	return size
}

func resultHint(r *Result) int {
	if r.Failure != nil {
		return 8 + sizeFailure(r.Failure)
	}
	return 8 + len(r.Value) + len(r.InvocationID)
}

func optionalHint(s *string) int {
	if s == nil {
		return 0
	}
	return 4 + len(*s)
}

// AppendBody implements Command.
func (c *Input) AppendBody(b []byte) []byte {
	b = appendHeaders(b, 1, c.Headers)
	b = appendText(b, fieldName, c.Name)
	return appendValue(b, 14, c.Value)
}

// AppendBody implements Command.
func (c *Output) AppendBody(b []byte) []byte {
	b = appendText(b, fieldName, c.Name)
	return outputUnion().append(b, TypeOutput, &c.Result)
}

// AppendBody implements Command.
func (c *GetLazyState) AppendBody(b []byte) []byte {
	return appendKeyed(b, c.Key, c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *SetState) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.Key)
	b = appendValue(b, 3, c.Value)
	return appendText(b, fieldName, c.Name)
}

// AppendBody implements Command.
func (c *ClearState) AppendBody(b []byte) []byte {
	return appendText(appendText(b, 1, c.Key), fieldName, c.Name)
}

// AppendBody implements Command.
func (c *ClearAllState) AppendBody(b []byte) []byte { return appendText(b, fieldName, c.Name) }

// AppendBody implements Command.
func (c *GetLazyStateKeys) AppendBody(b []byte) []byte {
	return appendTail(b, c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *GetEagerState) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.Key)
	b = appendText(b, fieldName, c.Name)
	return eagerStateUnion().append(b, TypeGetEagerState, &c.Result)
}

// AppendBody implements Command.
func (c *GetEagerStateKeys) AppendBody(b []byte) []byte {
	return appendStateKeys(appendText(b, fieldName, c.Name), 14, c.Keys)
}

// AppendBody implements Command.
func (c *GetPromise) AppendBody(b []byte) []byte {
	return appendKeyed(b, c.Key, c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *PeekPromise) AppendBody(b []byte) []byte {
	return appendKeyed(b, c.Key, c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *CompletePromise) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.Key)
	b = completionUnion().append(b, TypeCompletePromise, &c.Result)
	return appendTail(b, c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *Sleep) AppendBody(b []byte) []byte {
	return appendTail(appendUint(b, 1, c.WakeUpAt), c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *Call) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.Service)
	b = appendText(b, 2, c.Handler)
	b = appendPayload(b, 3, c.Parameter)
	b = appendHeaders(b, 4, c.Headers)
	b = appendText(b, 5, c.Key)
	b = appendOptionalText(b, 6, c.IdempotencyKey)
	b = appendUint(b, fieldInvocationIDCompletion, uint64(c.InvocationIDCompletion))
	return appendTail(b, c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *OneWayCall) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.Service)
	b = appendText(b, 2, c.Handler)
	b = appendPayload(b, 3, c.Parameter)
	b = appendUint(b, 4, c.InvokeAt)
	b = appendHeaders(b, 5, c.Headers)
	b = appendText(b, 6, c.Key)
	b = appendOptionalText(b, 7, c.IdempotencyKey)
	b = appendUint(b, fieldInvocationIDCompletion, uint64(c.InvocationIDCompletion))
	return appendText(b, fieldName, c.Name)
}

// AppendBody implements Command.
func (c *SendSignal) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.Target)
	if c.Named {
		b = appendPresentText(b, 3, c.Signal)
	} else {
		b = appendPresentUint(b, 2, uint64(c.Index))
	}
	b = signalUnion().append(b, TypeSendSignal, &c.Result)
	return appendText(b, fieldName, c.Name)
}

// AppendBody implements Command.
func (c *Run) AppendBody(b []byte) []byte { return appendTail(b, c.Completion, c.Name) }

// AppendBody implements Command.
func (c *AttachInvocation) AppendBody(b []byte) []byte {
	return appendTail(c.Target.append(b), c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *GetOutput) AppendBody(b []byte) []byte {
	return appendTail(c.Target.append(b), c.Completion, c.Name)
}

// AppendBody implements Command.
func (c *CompleteAwakeable) AppendBody(b []byte) []byte {
	b = appendText(b, 1, c.AwakeableID)
	b = completionUnion().append(b, TypeCompleteAwakeable, &c.Result)
	return appendText(b, fieldName, c.Name)
}

// appendTail writes the end that most commands share.
func appendTail(b []byte, completion uint32, name string) []byte {
	b = appendUint(b, fieldCompletion, uint64(completion))
	return appendText(b, fieldName, name)
}

func appendKeyed(b []byte, key string, completion uint32, name string) []byte {
	return appendTail(appendText(b, 1, key), completion, name)
}

// append writes the member of the target. Without any it is an invocation id
// that is empty: a handler may ask for that, and the engine answers.
func (t *AttachTarget) append(b []byte) []byte {
	switch {
	case t.Idempotent != nil:
		return t.Idempotent.append(b)
	case t.Workflow != nil:
		w := t.Workflow
		b = appendOpen(b, 4, sizeText(len(w.Service))+sizeText(len(w.Key)))
		return appendText(appendText(b, 1, w.Service), 2, w.Key)
	default:
		return appendPresentText(b, 1, t.InvocationID)
	}
}

func (t *IdempotentTarget) append(b []byte) []byte {
	size := sizeText(len(t.Service)) + sizeText(len(t.Handler)) + sizeText(len(t.IdempotencyKey))
	if t.Key != nil {
		size += 1 + protowire.SizeBytes(len(*t.Key))
	}
	b = appendOpen(b, 3, size)
	b = appendText(b, 1, t.Service)
	b = appendOptionalText(b, 2, t.Key)
	b = appendText(b, 3, t.Handler)
	return appendText(b, 4, t.IdempotencyKey)
}
