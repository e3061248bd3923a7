package journal

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bodies that a Restate server writes and reads.
func TestCommandsHaveTheBytesOfTheProtocol(t *testing.T) {
	t.Parallel()
	rows := []struct {
		command Command
		body    string
	}{
		{&Input{Headers: []Header{{"accept", "*/*"}}}, "0a0d0a06 61636365 70741203 2a2f2a72 00"},
		{&SetState{Key: "count", Value: []byte("42")}, "0a05636f 756e741a 040a0234 32"},
		{&ClearState{Key: "count"}, "0a05636f 756e74"},
		{&GetEagerState{Key: "count", Result: VoidResult()}, "0a05636f 756e746a 00"},
		{&GetPromise{Key: "p", Completion: 1}, "0a017058 01"},
		{&Sleep{WakeUpAt: 1795422996742, Completion: 1}, "088692b3 bca03458 01"},
		{
			&Call{Service: "Obj", Key: "j3", Handler: "Wait", InvocationIDCompletion: 1, Completion: 2},
			"0a034f62 6a120457 6169742a 026a3350 015802",
		},
		{&Run{Completion: 1, Name: "x"}, "58016201 78"},
		{&Output{Result: ValueOf([]byte(`"ok"`))}, "72060a04 226f6b22"},
		{&Output{Result: ValueOf(nil)}, "7200"},
		{&Output{Result: FailureOf(409, "killed")}, "7a0b0899 0312066b 696c6c65 64"},
	}
	for _, row := range rows {
		want := unhex(t, row.body)
		if got := row.command.AppendBody(nil); !bytes.Equal(got, want) {
			t.Errorf("%v %+v: wrote %x, want %x", row.command.Type(), row.command, got, want)
		}
		got, err := DecodeCommand(row.command.Type(), want)
		if err != nil || !reflect.DeepEqual(got, row.command) {
			t.Errorf("%v: read %+v, %v, want %+v", row.command.Type(), got, err, row.command)
		}
	}
}

func TestNotificationsHaveTheBytesOfTheProtocol(t *testing.T) {
	t.Parallel()
	rows := []struct {
		notification Notification
		body         string
	}{
		{Notification{TypeSleepCompletion, CompletionID(1), VoidResult()}, "08012200"},
		{Notification{TypeRunCompletion, CompletionID(1), ValueOf([]byte(`"ok"`))}, "08012a06 0a04226f 6b22"},
		{Notification{TypeSignal, SignalID(17), ValueOf([]byte(`"v"`))}, "10112a05 0a032276 22"},
		{Notification{TypeSignal, SignalID(17), ValueOf(nil)}, "10112a00"},
		{Notification{TypeSignal, SignalID(17), FailureOf(500, "very bad")}, "1011320d 08f40312 08766572 79206261 64"},
		{Notification{TypeSignal, SignalID(1), VoidResult()}, "10012200"},
		{Notification{TypeSignal, NamedSignalID("go"), ValueOf([]byte("1"))}, "1a02676f 2a030a01 31"},
	}
	for _, row := range rows {
		want := unhex(t, row.body)
		if got := row.notification.AppendBody(nil); !bytes.Equal(got, want) {
			t.Errorf("%+v: wrote %x, want %x", row.notification, got, want)
		}
		got, err := DecodeNotification(row.notification.Type, want)
		if err != nil || !reflect.DeepEqual(got, row.notification) {
			t.Errorf("%x: read %+v, %v, want %+v", want, got, err, row.notification)
		}
	}
}

func TestAwaitTreesHaveTheBytesOfTheProtocol(t *testing.T) {
	t.Parallel()
	tree := &Future{
		Completions: []uint32{3},
		Nested:      []*Future{{Signals: []uint32{17}, Combinator: FirstCompleted}},
		Combinator:  AllSucceededOrFirstFailed,
	}
	want := unhex(t, "0a010322 05120111 28012804")
	if got := tree.AppendBody(nil); !bytes.Equal(got, want) {
		t.Errorf("wrote %x, want %x", got, want)
	}
	got, err := DecodeFuture(want)
	if err != nil || !reflect.DeepEqual(got, tree) {
		t.Errorf("read %v, %v, want %v", got, err, tree)
	}
}
