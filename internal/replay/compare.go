package replay

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// fieldType is the field of a difference between commands of two types.
const fieldType = "type"

// difference is the first field in which two commands differ, with both values
// as text. It is zero when they agree. The methods compare one field each and
// do nothing once a difference was found, so text is made only for a mismatch.
type difference struct {
	field, stored, issued string
	// opaque leaves payloads uncompared.
	opaque bool
}

func (d *difference) set(field, stored, issued string) {
	d.field, d.stored, d.issued = field, stored, issued
}

func (d *difference) text(field, stored, issued string) {
	if d.field == "" && stored != issued {
		d.set(field, strconv.Quote(stored), strconv.Quote(issued))
	}
}

func (d *difference) number(field string, stored, issued uint32) {
	if d.field == "" && stored != issued {
		d.set(field, strconv.FormatUint(uint64(stored), 10), strconv.FormatUint(uint64(issued), 10))
	}
}

func (d *difference) optional(field string, stored, issued *string) {
	switch {
	case d.field != "" || stored == nil && issued == nil:
	case stored == nil:
		d.set(field, "none", strconv.Quote(*issued))
	case issued == nil:
		d.set(field, strconv.Quote(*stored), "none")
	default:
		d.text(field, *stored, *issued)
	}
}

func (d *difference) headers(field string, stored, issued []journal.Header) {
	if d.field == "" && !slices.Equal(stored, issued) {
		d.set(field, fmt.Sprintf("%q", stored), fmt.Sprintf("%q", issued))
	}
}

func (d *difference) payload(field string, stored, issued []byte) {
	if d.field == "" && !d.opaque && !bytes.Equal(stored, issued) {
		d.set(field, excerpt(stored), excerpt(issued))
	}
}

func (d *difference) result(field string, stored, issued journal.Result) {
	switch {
	case d.field != "":
	case stored.Kind != issued.Kind:
		d.set(field, outcome(stored), outcome(issued))
	case stored.Kind == journal.ResultValue:
		d.payload(field, stored.Value, issued.Value)
	case stored.Kind == journal.ResultFailure:
		d.number(field+" code", stored.Failure.Code, issued.Failure.Code)
		d.text(field+" message", stored.Failure.Message, issued.Failure.Message)
		d.headers(field+" metadata", stored.Failure.Metadata, issued.Failure.Metadata)
	}
}

func (d *difference) attachTarget(stored, issued journal.AttachTarget) {
	d.text("target", attachTarget(stored), attachTarget(issued))
}

// excerpt shows the start of a payload.
func excerpt(b []byte) string {
	const most = 64
	if len(b) <= most {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%q… (%d bytes)", b[:most], len(b))
}

func outcome(r journal.Result) string {
	switch r.Kind {
	case journal.ResultValue:
		return "a value"
	case journal.ResultFailure:
		return "a failure"
	default:
		return "nothing"
	}
}

// compare finds the first difference that matters between a stored command and
// the one that the handler issued: type first, then the fields that the
// handler's code decides. Results inside a command, the wake-up time of a sleep
// and the start time of a send come from elsewhere and are not compared.
func compare(stored, issued journal.Command, opaque bool) difference {
	d := difference{opaque: opaque}
	switch i := issued.(type) {
	case *journal.GetEagerState:
		d.stateRead(stored, i.Key)
	case *journal.GetLazyState:
		d.stateRead(stored, i.Key)
	case *journal.GetEagerStateKeys:
		if stored.Type() != journal.TypeGetLazyStateKeys && stored.Type() != i.Type() {
			d.field = fieldType
		}
	case *journal.GetLazyStateKeys:
		d.lazyKeys(stored, i)
	default:
		if stored.Type() != issued.Type() {
			d.field = fieldType
			break
		}
		d.same(stored, issued)
	}
	return d
}

// stateRead compares a Get. A value read with its command and one read through
// a completion both answer it.
func (d *difference) stateRead(stored journal.Command, key string) {
	switch s := stored.(type) {
	case *journal.GetEagerState:
		d.text("key", s.Key, key)
	case *journal.GetLazyState:
		d.text("key", s.Key, key)
	default:
		d.field = fieldType
	}
}

func (d *difference) lazyKeys(stored journal.Command, i *journal.GetLazyStateKeys) {
	switch s := stored.(type) {
	case *journal.GetEagerStateKeys:
	case *journal.GetLazyStateKeys:
		d.number("completion id", s.Completion, i.Completion)
		d.text("name", s.Name, i.Name)
	default:
		d.field = fieldType
	}
}

// same compares two commands of one type.
func (d *difference) same(stored, issued journal.Command) {
	switch i := issued.(type) {
	case *journal.SetState:
		s := stored.(*journal.SetState)
		d.text("key", s.Key, i.Key)
		d.payload("value", s.Value, i.Value)
	case *journal.ClearState:
		d.text("key", stored.(*journal.ClearState).Key, i.Key)
	case *journal.GetPromise:
		s := stored.(*journal.GetPromise)
		d.text("key", s.Key, i.Key)
		d.number("completion id", s.Completion, i.Completion)
	case *journal.PeekPromise:
		s := stored.(*journal.PeekPromise)
		d.text("key", s.Key, i.Key)
		d.number("completion id", s.Completion, i.Completion)
	case *journal.CompletePromise:
		s := stored.(*journal.CompletePromise)
		d.text("key", s.Key, i.Key)
		d.number("completion id", s.Completion, i.Completion)
		d.result("value", s.Result, i.Result)
	case *journal.Run:
		d.number("completion id", stored.(*journal.Run).Completion, i.Completion)
	case *journal.CompleteAwakeable:
		s := stored.(*journal.CompleteAwakeable)
		d.text("id", s.AwakeableID, i.AwakeableID)
		d.result("value", s.Result, i.Result)
	case *journal.Output:
		d.result("value", stored.(*journal.Output).Result, i.Result)
		return
	default:
		d.addressed(stored, issued)
	}
	d.text("name", stored.EntryName(), issued.EntryName())
}

// addressed compares two commands of one type that name another invocation.
func (d *difference) addressed(stored, issued journal.Command) {
	switch i := issued.(type) {
	case *journal.Call:
		d.call(stored.(*journal.Call), i)
	case *journal.OneWayCall:
		d.send(stored.(*journal.OneWayCall), i)
	case *journal.SendSignal:
		s := stored.(*journal.SendSignal)
		d.text("target", s.Target, i.Target)
		d.number("signal index", s.Index, i.Index)
		d.text("signal name", s.Signal, i.Signal)
		d.result("value", s.Result, i.Result)
	case *journal.AttachInvocation:
		s := stored.(*journal.AttachInvocation)
		d.attachTarget(s.Target, i.Target)
		d.number("completion id", s.Completion, i.Completion)
	case *journal.GetOutput:
		s := stored.(*journal.GetOutput)
		d.attachTarget(s.Target, i.Target)
		d.number("completion id", s.Completion, i.Completion)
	}
}

func (d *difference) call(s, i *journal.Call) {
	d.text("service", s.Service, i.Service)
	d.text("key", s.Key, i.Key)
	d.text("handler", s.Handler, i.Handler)
	d.payload("parameter", s.Parameter, i.Parameter)
	d.headers("headers", s.Headers, i.Headers)
	d.optional("idempotency key", s.IdempotencyKey, i.IdempotencyKey)
	d.number("invocation id completion", s.InvocationIDCompletion, i.InvocationIDCompletion)
	d.number("completion id", s.Completion, i.Completion)
}

func (d *difference) send(s, i *journal.OneWayCall) {
	d.text("service", s.Service, i.Service)
	d.text("key", s.Key, i.Key)
	d.text("handler", s.Handler, i.Handler)
	d.payload("parameter", s.Parameter, i.Parameter)
	d.headers("headers", s.Headers, i.Headers)
	d.optional("idempotency key", s.IdempotencyKey, i.IdempotencyKey)
	d.number("invocation id completion", s.InvocationIDCompletion, i.InvocationIDCompletion)
}
