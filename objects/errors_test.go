package objects

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

func TestNilTerminalErrorIsANilError(t *testing.T) {
	t.Parallel()
	var asError error = func() error { return ToTerminalError(nil) }()
	if asError != nil {
		t.Errorf("ToTerminalError(nil) as error is %#v", asError)
	}
	if e := func() error { return ToRetryableError(nil) }(); e != nil {
		t.Errorf("ToRetryableError(nil) as error is %#v", e)
	}
	if e := func() error { return AsTerminalError(io.EOF) }(); e != nil {
		t.Errorf("AsTerminalError of a plain error is %#v", e)
	}
	if e := func() error { return TerminalErrorFrom(nil) }(); e != nil {
		t.Errorf("TerminalErrorFrom(nil) is %#v", e)
	}
	if f := FailureOf(nil); f != nil {
		t.Errorf("FailureOf(nil) is %#v", f)
	}
}

func TestTerminalErrorIsFoundThroughWrapping(t *testing.T) {
	t.Parallel()
	inner := TerminalErrorf("boom %d", 1)
	for _, err := range []error{
		inner,
		fmt.Errorf("wrapped: %w", inner),
		errors.Join(io.EOF, fmt.Errorf("deep: %w", inner)),
		fmt.Errorf("both: %w and %w", RetryableErrorf("again"), inner),
	} {
		var found TerminalError
		if !errors.As(err, &found) || found != inner || !IsTerminalError(err) || IsRetryableError(err) {
			t.Errorf("%v is not seen as the terminal error", err)
		}
		if AsTerminalError(err).Message() != "boom 1" || AsTerminalError(err).Code() != 500 {
			t.Errorf("%v has message %q", err, AsTerminalError(err).Message())
		}
	}
}

func TestToTerminalErrorCopiesTheMessageOnly(t *testing.T) {
	t.Parallel()
	e := ToTerminalError(fmt.Errorf("read: %w", io.EOF), WithErrorCode(422), WithMetadata("b", "2"), WithMetadataMap(map[string]string{"a": "1"}))
	if errors.Is(e, io.EOF) {
		t.Error("the cause can be unwrapped, which a replay could not repeat")
	}
	text, err := json.Marshal(e.Metadata())
	if e.Message() != "read: EOF" || e.Code() != 422 || string(text) != `{"a":"1","b":"2"}` || err != nil {
		t.Errorf("got %q, code %d, metadata %s, %v", e.Message(), e.Code(), text, err)
	}
	if again := ToTerminalError(e); again != e {
		t.Error("a terminal error without options was not returned unchanged")
	}
	changed := ToTerminalError(e, WithErrorCode(409), WithMetadata("a", "x"))
	if changed.Code() != 409 || changed.Metadata().Get("a") != "x" || changed.Metadata().Get("b") != "2" {
		t.Errorf("with options: code %d, metadata %v", changed.Code(), changed.Metadata().ToMap())
	}
	if e.Code() != 422 || e.Metadata().Get("a") != "1" {
		t.Error("the original has changed")
	}
}

func TestRetryableErrorKeepsCodeAndDelay(t *testing.T) {
	t.Parallel()
	e := ToRetryableError(io.EOF, WithErrorCode(503), WithRetryAfter(time.Minute))
	wrapped := fmt.Errorf("call: %w", e)
	if codeOf(wrapped) != 503 || *retryAfterOf(wrapped) != time.Minute || AsRetryableError(wrapped) != e || !errors.Is(wrapped, io.EOF) {
		t.Errorf("code %d, delay %v", codeOf(wrapped), retryAfterOf(wrapped))
	}
	later := ToRetryableError(e, WithRetryAfter(-time.Second))
	if later.Code() != 503 || *retryAfterOf(later) != 0 {
		t.Errorf("changed: code %d, delay %v", later.Code(), retryAfterOf(later))
	}
	if codeOf(io.EOF) != 500 || retryAfterOf(io.EOF) != nil || IsRetryableError(io.EOF) {
		t.Error("a plain error carries a code or a delay")
	}
}

func TestRetryableErrorOfATerminalErrorIsRetried(t *testing.T) {
	t.Parallel()
	e := ToRetryableError(fmt.Errorf("wrapped: %w", TerminalErrorf("boom")))
	if IsTerminalError(e) || !IsRetryableError(e) || e.Message() != "wrapped: boom" {
		t.Errorf("%v is terminal", e)
	}
}

func TestFailuresSurviveTheJournal(t *testing.T) {
	t.Parallel()
	e := ToTerminalError(io.EOF, WithErrorCode(42), WithMetadataMap(map[string]string{"z": "1", "a": "2"}))
	f := FailureOf(e)
	want := &journal.Failure{Code: 42, Message: "EOF", Metadata: []journal.Header{{Key: "a", Value: "2"}, {Key: "z", Value: "1"}}}
	if !reflect.DeepEqual(f, want) {
		t.Fatalf("stored as %+v, want %+v", f, want)
	}
	if back := TerminalErrorFrom(f); !reflect.DeepEqual(back, e) {
		t.Errorf("read back as %#v, want %#v", back, e)
	}
	if big := TerminalErrorFrom(&journal.Failure{Code: 70000, Message: "m"}); big.Code() != 500 {
		t.Errorf("code 70000 was read as %d", big.Code())
	}
	if m := TerminalErrorFrom(&journal.Failure{}).Metadata(); m == nil || len(m.ToMap()) != 0 {
		t.Errorf("no metadata was read as %v", m)
	}
}

func TestStringMapIsOrderedByKey(t *testing.T) {
	t.Parallel()
	in := []journal.Header{{Key: "b", Value: "2"}, {Key: "a", Value: "\"<1>"}, {Key: "b", Value: "late"}, {Key: "B", Value: "3"}}
	m := newStringMap(in)
	in[0].Value = "changed"
	var keys []string
	for k := range m.Iter() {
		keys = append(keys, k)
	}
	if want := []string{"B", "a", "b"}; !reflect.DeepEqual(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	for range m.Iter() {
		break
	}
	if m.Get("b") != "2" || m.Get("B") != "3" || m.Get("missing") != "" {
		t.Errorf("got %q, %q, %q", m.Get("b"), m.Get("B"), m.Get("missing"))
	}
	var back map[string]string
	text, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || !reflect.DeepEqual(back, m.ToMap()) {
		t.Errorf("marshalled as %s, %v", text, err)
	}
	if empty, _ := json.Marshal(newStringMap(nil)); string(empty) != "{}" {
		t.Errorf("the empty map is %s", empty)
	}
}
