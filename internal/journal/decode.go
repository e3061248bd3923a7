package journal

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// DecodeCommand reads the body of a command of type t. Byte slices of the
// command are parts of body, and an empty one is nil. Unknown fields are
// skipped. The error wraps ErrMalformed when t is no known command, when body
// is not a message of that type, and when it lacks a member of a union or names
// a scope or a limit key.
func DecodeCommand(t Type, body []byte) (Command, error) {
	d := decoder{rest: body}
	c := d.command(t)
	if d.err != nil {
		return nil, fmt.Errorf("decode %v: %w", t, d.err)
	}
	return c, nil
}

func (d *decoder) command(t Type) Command {
	switch t {
	case TypeInput:
		return d.input()
	case TypeOutput:
		return d.output()
	case TypeSleep:
		return d.sleep()
	case TypeCall:
		return d.call()
	case TypeOneWayCall:
		return d.oneWayCall()
	case TypeSendSignal:
		return d.sendSignal()
	case TypeCompleteAwakeable:
		return d.completeAwakeable()
	case TypeRun:
		p := d.plain(0)
		return &Run{Completion: p.completion, Name: p.name}
	case TypeAttachInvocation:
		target, p := d.attach()
		return &AttachInvocation{Target: target, Completion: p.completion, Name: p.name}
	case TypeGetOutput:
		target, p := d.attach()
		return &GetOutput{Target: target, Completion: p.completion, Name: p.name}
	default:
		return d.stateOrPromise(t)
	}
}

func (d *decoder) stateOrPromise(t Type) Command {
	switch t {
	case TypeGetLazyState:
		p := d.plain(1)
		return &GetLazyState{Key: p.key, Completion: p.completion, Name: p.name}
	case TypeSetState:
		return d.setState()
	case TypeClearState:
		p := d.plain(1)
		return &ClearState{Key: p.key, Name: p.name}
	case TypeClearAllState:
		return &ClearAllState{Name: d.plain(0).name}
	case TypeGetLazyStateKeys:
		p := d.plain(0)
		return &GetLazyStateKeys{Completion: p.completion, Name: p.name}
	case TypeGetEagerState:
		return d.getEagerState()
	case TypeGetEagerStateKeys:
		return d.getEagerStateKeys()
	case TypeGetPromise:
		p := d.plain(1)
		return &GetPromise{Key: p.key, Completion: p.completion, Name: p.name}
	case TypePeekPromise:
		p := d.plain(1)
		return &PeekPromise{Key: p.key, Completion: p.completion, Name: p.name}
	case TypeCompletePromise:
		return d.completePromise()
	default:
		d.err = fmt.Errorf("not a command: %w", ErrMalformed)
		return nil
	}
}

// plain is what many commands consist of.
type plain struct {
	key        string
	completion uint32
	name       string
}

// plain reads a key in field keyField, 0 for a command without one, and the
// shared end.
func (d *decoder) plain(keyField protowire.Number) plain {
	var p plain
	for d.next() {
		if d.num == keyField {
			p.key = d.text()
		}
		d.tail(&p.completion, &p.name)
	}
	return p
}

// tail takes the fields of the end that most commands share.
func (d *decoder) tail(completion *uint32, name *string) {
	switch d.num {
	case fieldCompletion:
		*completion = d.uint32()
	case fieldName:
		*name = d.text()
	}
}

// usualHeaders is how many headers a request that came over HTTP mostly has.
const usualHeaders = 4

func (d *decoder) input() *Input {
	c := &Input{}
	for d.next() {
		switch d.num {
		case 1:
			if c.Headers == nil {
				c.Headers = make([]Header, 0, usualHeaders)
			}
			c.Headers = append(c.Headers, d.header())
		case fieldName:
			c.Name = d.text()
		case 14:
			c.Value = d.value()
		}
	}
	return c
}

func (d *decoder) output() *Output {
	c := &Output{}
	for d.next() {
		if d.num == fieldName {
			c.Name = d.text()
		}
		outputUnion().read(d, &c.Result)
	}
	d.require(c.Result.Kind != ResultNone, "result")
	return c
}

func (d *decoder) setState() *SetState {
	c := &SetState{}
	for d.next() {
		switch d.num {
		case 1:
			c.Key = d.text()
		case 3:
			c.Value = d.value()
		case fieldName:
			c.Name = d.text()
		}
	}
	return c
}

func (d *decoder) getEagerState() *GetEagerState {
	c := &GetEagerState{}
	for d.next() {
		switch d.num {
		case 1:
			c.Key = d.text()
		case fieldName:
			c.Name = d.text()
		default:
			eagerStateUnion().read(d, &c.Result)
		}
	}
	d.require(c.Result.Kind != ResultNone, "result")
	return c
}

func (d *decoder) getEagerStateKeys() *GetEagerStateKeys {
	c := &GetEagerStateKeys{}
	for d.next() {
		switch d.num {
		case fieldName:
			c.Name = d.text()
		case 14:
			c.Keys = d.stateKeys()
		}
	}
	return c
}

func (d *decoder) completePromise() *CompletePromise {
	c := &CompletePromise{}
	for d.next() {
		if d.num == 1 {
			c.Key = d.text()
		}
		completionUnion().read(d, &c.Result)
		d.tail(&c.Completion, &c.Name)
	}
	d.require(c.Result.Kind != ResultNone, "result")
	return c
}

func (d *decoder) completeAwakeable() *CompleteAwakeable {
	c := &CompleteAwakeable{}
	for d.next() {
		switch d.num {
		case 1:
			c.AwakeableID = d.text()
		case fieldName:
			c.Name = d.text()
		default:
			completionUnion().read(d, &c.Result)
		}
	}
	d.require(c.Result.Kind != ResultNone, "result")
	return c
}

func (d *decoder) sleep() *Sleep {
	c := &Sleep{}
	for d.next() {
		if d.num == 1 {
			c.WakeUpAt = d.uint64()
		}
		d.tail(&c.Completion, &c.Name)
	}
	return c
}

func (d *decoder) call() *Call {
	c := &Call{}
	for d.next() {
		switch d.num {
		case 1:
			c.Service = d.text()
		case 2:
			c.Handler = d.text()
		case 3:
			c.Parameter = d.bytes()
		case 4:
			c.Headers = append(c.Headers, d.header())
		case 5:
			c.Key = d.text()
		case 6:
			c.IdempotencyKey = d.optionalText()
		case 7:
			d.refuse("a scope")
		case 8:
			d.refuse("a limit key")
		case fieldInvocationIDCompletion:
			c.InvocationIDCompletion = d.uint32()
		default:
			d.tail(&c.Completion, &c.Name)
		}
	}
	return c
}

func (d *decoder) oneWayCall() *OneWayCall {
	c := &OneWayCall{}
	for d.next() {
		switch d.num {
		case 1:
			c.Service = d.text()
		case 2:
			c.Handler = d.text()
		case 3:
			c.Parameter = d.bytes()
		case 4:
			c.InvokeAt = d.uint64()
		case 5:
			c.Headers = append(c.Headers, d.header())
		case 6:
			c.Key = d.text()
		case 7:
			c.IdempotencyKey = d.optionalText()
		case 8:
			d.refuse("a scope")
		case 9:
			d.refuse("a limit key")
		case fieldInvocationIDCompletion:
			c.InvocationIDCompletion = d.uint32()
		case fieldName:
			c.Name = d.text()
		}
	}
	return c
}

func (d *decoder) sendSignal() *SendSignal {
	c, addressed := &SendSignal{}, false
	for d.next() {
		switch d.num {
		case 1:
			c.Target = d.text()
		case 2:
			c.Index, c.Signal, c.Named, addressed = d.uint32(), "", false, true
		case 3:
			c.Index, c.Signal, c.Named, addressed = 0, d.text(), true, true
		case fieldName:
			c.Name = d.text()
		default:
			signalUnion().read(d, &c.Result)
		}
	}
	d.require(addressed, "signal")
	d.require(c.Result.Kind != ResultNone, "result")
	return c
}

func (d *decoder) attach() (AttachTarget, plain) {
	var (
		target AttachTarget
		p      plain
		found  bool
	)
	for d.next() {
		switch d.num {
		case 1:
			target, found = AttachTarget{InvocationID: d.text()}, true
		case 3:
			target, found = AttachTarget{Idempotent: d.idempotentTarget()}, true
		case 4:
			target, found = AttachTarget{Workflow: d.workflowTarget()}, true
		default:
			d.tail(&p.completion, &p.name)
		}
	}
	d.require(found, "target")
	return target, p
}

func (d *decoder) idempotentTarget() *IdempotentTarget {
	t := &IdempotentTarget{}
	in := d.nested()
	for in.next() {
		switch in.num {
		case 1:
			t.Service = in.text()
		case 2:
			t.Key = in.optionalText()
		case 3:
			t.Handler = in.text()
		case 4:
			t.IdempotencyKey = in.text()
		case 5:
			in.refuse("a scope")
		}
	}
	d.done(&in)
	return t
}

func (d *decoder) workflowTarget() *WorkflowTarget {
	t := &WorkflowTarget{}
	in := d.nested()
	for in.next() {
		switch in.num {
		case 1:
			t.Service = in.text()
		case 2:
			t.Key = in.text()
		case 3:
			in.refuse("a scope")
		}
	}
	d.done(&in)
	return t
}
