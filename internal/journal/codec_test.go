package journal

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func pointer(s string) *string { return &s }

// samples is one full and where it matters one sparse command of every type.
func samples() []Command {
	headers := []Header{{"a", "1"}, {"a", ""}, {"", "2"}}
	failure := Result{Kind: ResultFailure, Failure: &Failure{
		Code: 500, Message: "no", Metadata: []Header{{"k", "v"}, {"", ""}},
	}}
	return []Command{
		&Input{Headers: headers, Value: []byte("in"), Name: "n"}, &Input{},
		&Output{Result: ValueOf([]byte("out")), Name: "n"}, &Output{Result: failure},
		&GetLazyState{Key: "k", Completion: 7, Name: "n"}, &GetLazyState{},
		&SetState{Key: "k", Value: []byte{0}, Name: "n"}, &SetState{},
		&ClearState{Key: "k", Name: "n"}, &ClearState{},
		&ClearAllState{Name: "n"}, &ClearAllState{},
		&GetLazyStateKeys{Completion: 1 << 31, Name: "n"},
		&GetEagerState{Key: "k", Result: ValueOf([]byte("v")), Name: "n"}, &GetEagerState{Result: VoidResult()},
		&GetEagerStateKeys{Keys: []string{"a", "", "c"}, Name: "n"}, &GetEagerStateKeys{},
		&GetPromise{Key: "p", Completion: 1, Name: "n"},
		&PeekPromise{Key: "p", Completion: 1, Name: "n"},
		&CompletePromise{Key: "p", Result: ValueOf(nil), Completion: 1, Name: "n"}, &CompletePromise{Result: failure},
		&Sleep{WakeUpAt: 1 << 63, Completion: 1, Name: "n"}, &Sleep{},
		&Call{
			Service: "S", Handler: "h", Parameter: []byte("p"), Headers: headers, Key: "k",
			IdempotencyKey: pointer("i"), InvocationIDCompletion: 1, Completion: 2, Name: "n",
		}, &Call{IdempotencyKey: pointer("")}, &Call{},
		&OneWayCall{
			Service: "S", Handler: "h", Parameter: []byte("p"), InvokeAt: 99, Headers: headers, Key: "k",
			IdempotencyKey: pointer(""), InvocationIDCompletion: 1, Name: "n",
		}, &OneWayCall{},
		&SendSignal{Target: "inv_1", Index: 1, Result: VoidResult(), Name: "n"},
		&SendSignal{Target: "inv_1", Signal: "go", Named: true, Result: failure},
		&SendSignal{Named: true, Result: ValueOf(nil)}, &SendSignal{Result: VoidResult()},
		&Run{Completion: 1, Name: "n"}, &Run{},
		&AttachInvocation{Target: AttachTarget{InvocationID: "inv_1"}, Completion: 1, Name: "n"}, &AttachInvocation{},
		&AttachInvocation{Target: AttachTarget{Workflow: &WorkflowTarget{Service: "W", Key: "w"}}},
		&GetOutput{Target: AttachTarget{Idempotent: &IdempotentTarget{
			Service: "S", Key: pointer(""), Handler: "h", IdempotencyKey: "i",
		}}, Completion: 1, Name: "n"},
		&GetOutput{Target: AttachTarget{Idempotent: &IdempotentTarget{Service: "S", Handler: "h", IdempotencyKey: "i"}}},
		&CompleteAwakeable{AwakeableID: "sign_1", Result: ValueOf([]byte("v")), Name: "n"}, &CompleteAwakeable{Result: failure},
	}
}

func notifications() []Notification {
	return []Notification{
		{TypeLazyStateCompletion, CompletionID(1), VoidResult()},
		{TypeLazyStateKeysCompletion, CompletionID(2), Result{Kind: ResultStateKeys, StateKeys: []string{"a", "b"}}},
		{TypeGetPromiseCompletion, CompletionID(3), ValueOf([]byte("v"))},
		{TypePeekPromiseCompletion, CompletionID(1 << 31), VoidResult()},
		{TypeCompletePromiseCompletion, CompletionID(5), FailureOf(409, "taken")},
		{TypeSleepCompletion, CompletionID(6), VoidResult()},
		{TypeCallCompletion, CompletionID(7), ValueOf(nil)},
		{TypeCallInvocationID, CompletionID(8), Result{Kind: ResultInvocationID, InvocationID: "inv_1"}},
		{TypeRunCompletion, CompletionID(9), FailureOf(0, "")},
		{TypeAttachCompletion, CompletionID(10), ValueOf([]byte("v"))},
		{TypeGetOutputCompletion, CompletionID(11), VoidResult()},
		{TypeSignal, SignalID(17), ValueOf([]byte("v"))},
		{TypeSignal, NamedSignalID("go"), VoidResult()},
		{TypeSignal, NotificationID{}, VoidResult()},
	}
}

func trees() []*Future {
	return []*Future{
		{},
		{Completions: []uint32{1, 300, 1 << 31}, Signals: []uint32{1}, Named: []string{"go", ""}},
		{
			Completions: []uint32{1}, Combinator: FirstCompleted,
			Nested: []*Future{
				{Signals: []uint32{17}, Combinator: AllCompleted},
				{Nested: []*Future{{Named: []string{"x"}}}, Combinator: FirstSucceededOrAllFailed},
				{},
			},
		},
	}
}

func TestEveryCommandSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	seen := map[Type]bool{}
	for _, c := range samples() {
		seen[c.Type()] = true
		got, err := DecodeCommand(c.Type(), c.AppendBody(nil))
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%v: read %+v, %v, want %+v", c.Type(), got, err, c)
		}
	}
	for code := TypeInput; code <= TypeCompleteAwakeable; code++ {
		if code != 0x040F && !seen[code] {
			t.Errorf("no sample of %v", code)
		}
	}
}

func TestEveryNotificationSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range notifications() {
		got, err := DecodeNotification(n.Type, n.AppendBody(nil))
		if err != nil || !reflect.DeepEqual(got, n) {
			t.Errorf("read %+v, %v, want %+v", got, err, n)
		}
	}
}

func TestEveryAwaitTreeSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	for _, f := range trees() {
		got, err := DecodeFuture(f.AppendBody([]byte("x"))[1:])
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("read %v, %v, want %v", got, err, f)
		}
	}
}

// unknownFields is a message of fields that no message of the protocol has,
// one of each wire type.
func unknownFields() []byte {
	b := appendPresentUint(nil, 200, 1)
	b = appendPresentText(b, 201, "later")
	b = protowire.AppendFixed32(protowire.AppendTag(b, 202, protowire.Fixed32Type), 3)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 203, protowire.Fixed64Type), 4)
	b = protowire.AppendTag(b, 204, protowire.StartGroupType)
	b = appendPresentUint(b, 1, 5)
	return protowire.AppendTag(b, 204, protowire.EndGroupType)
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	t.Parallel()
	for _, c := range samples() {
		got, err := DecodeCommand(c.Type(), c.AppendBody(unknownFields()))
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%v: read %+v, %v, want %+v", c.Type(), got, err, c)
		}
	}
	for _, n := range notifications() {
		got, err := DecodeNotification(n.Type, n.AppendBody(unknownFields()))
		if err != nil || !reflect.DeepEqual(got, n) {
			t.Errorf("read %+v, %v, want %+v", got, err, n)
		}
	}
	for _, f := range trees() {
		got, err := DecodeFuture(f.AppendBody(unknownFields()))
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("read %v, %v, want %v", got, err, f)
		}
	}
}

func TestFieldsAreWrittenInAscendingOrder(t *testing.T) {
	t.Parallel()
	check := func(name string, body []byte) {
		d, last := decoder{rest: body}, protowire.Number(0)
		for d.next() {
			if d.num < last {
				t.Errorf("%s: field %d after %d", name, d.num, last)
			}
			last = d.num
		}
	}
	for _, c := range samples() {
		check(c.Type().String(), c.AppendBody(nil))
	}
	for _, n := range notifications() {
		check(n.Type.String(), n.AppendBody(nil))
	}
	for _, f := range trees() {
		check(f.String(), f.AppendBody(nil))
	}
}

func TestEncodingACommandAllocatesItsBodyOnce(t *testing.T) {
	t.Parallel()
	for _, c := range samples() {
		if e := NewEntry(c, 1, Sidecar{}); len(e.Body) > 100 || cap(e.Body) > 4*len(e.Body)+64 {
			t.Errorf("%v: body of %d bytes has room for %d", c.Type(), len(e.Body), cap(e.Body))
		}
	}
	c := &SetState{Key: "k", Value: bytes.Repeat([]byte("v"), 5000)}
	if e := NewEntry(c, 1, Sidecar{}); cap(e.Body) > 6000 {
		t.Errorf("body of %d bytes has room for %d", len(e.Body), cap(e.Body))
	}
}

func TestEntriesCarryTypeTimeAndSidecar(t *testing.T) {
	t.Parallel()
	side := Sidecar{Allocated: Allocated{Signals: 2, SignalHash: 3, Draws: 4}}
	e := NewEntry(&Run{Completion: 1, Name: "x"}, 99, side)
	if e.Type != TypeRun || e.At != 99 || e.Sidecar != side || !bytes.Equal(e.Body, unhex(t, "5801620178")) {
		t.Errorf("entry %+v", e)
	}
	n := Notification{TypeSignal, SignalID(17), ValueOf(nil)}
	if e := n.Entry(98); e.Type != TypeSignal || e.At != 98 || !bytes.Equal(e.Body, unhex(t, "10112a00")) {
		t.Errorf("entry %+v", e)
	}
}

func TestValuesOfADecodedCommandCannotGrowIntoTheBody(t *testing.T) {
	t.Parallel()
	body := (&SetState{Key: "k", Value: []byte("v"), Name: "name"}).AppendBody(nil)
	before := bytes.Clone(body)
	c, err := DecodeCommand(TypeSetState, body)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(c.(*SetState).Value, "overwritten"...)
	if !bytes.Equal(body, before) {
		t.Errorf("body changed to %q", body)
	}
}

func TestMalformedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	tooLarge := appendPresentUint(nil, fieldCompletion, 1<<32)
	rows := []struct {
		why  string
		t    Type
		body []byte
	}{
		{"truncated", TypeSetState, []byte{0x0a, 5, 'c'}},
		{"truncated inside", TypeSetState, []byte{0x1a, 2, 0x0a, 5}},
		{"wrong wire type of a text", TypeSetState, []byte{0x08, 1}},
		{"wrong wire type of a number", TypeRun, []byte{0x5a, 0}},
		{"number out of range", TypeRun, tooLarge},
		{"void that is a number", TypeGetEagerState, []byte{0x68, 0}},
		{"no result", TypeOutput, nil},
		{"no result", TypeGetEagerState, nil},
		{"no result", TypeCompletePromise, nil},
		{"no result", TypeCompleteAwakeable, nil},
		{"no result", TypeSendSignal, []byte{0x10, 1}},
		{"no signal", TypeSendSignal, []byte{0x22, 0}},
		{"no target", TypeAttachInvocation, nil},
		{"scope", TypeCall, appendPresentText(nil, 7, "s")},
		{"limit key", TypeCall, appendPresentText(nil, 8, "s")},
		{"scope", TypeOneWayCall, appendPresentText(nil, 8, "s")},
		{"limit key", TypeOneWayCall, appendPresentText(nil, 9, "s")},
		{"scope", TypeGetOutput, []byte{0x1a, 3, 0x2a, 1, 's'}},
		{"scope", TypeGetOutput, []byte{0x22, 3, 0x1a, 1, 's'}},
		{"free code", 0x040F, nil},
		{"notification", TypeSignal, []byte{0x10, 17, 0x22, 0}},
	}
	for _, row := range rows {
		if c, err := DecodeCommand(row.t, row.body); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v: read %+v, %v", row.why, row.t, c, err)
		}
	}
}

func TestMalformedNotificationsAreRefused(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why  string
		t    Type
		body []byte
	}{
		{"no id", TypeSignal, []byte{0x22, 0}},
		{"no result", TypeSignal, []byte{0x10, 17}},
		{"signal with a completion id", TypeSignal, []byte{0x08, 1, 0x22, 0}},
		{"completion with a signal index", TypeSleepCompletion, []byte{0x10, 1, 0x22, 0}},
		{"command", TypeRun, []byte{0x08, 1, 0x22, 0}},
	}
	for _, row := range rows {
		if n, err := DecodeNotification(row.t, row.body); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: read %+v, %v", row.why, n, err)
		}
	}
}

func TestAWrongKindOfResultIsABrokenInvariant(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("an Output without a result was written")
		}
	}()
	(&Output{}).AppendBody(nil)
}
