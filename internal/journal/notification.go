package journal

import (
	"fmt"
	"strconv"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Notification is a result that arrived: the completion of a command, or a
// signal. Its body has one shape for all types.
type Notification struct {
	Type   Type
	ID     NotificationID
	Result Result
}

// NotificationID says what a notification answers: exactly one of a completion
// id, a signal index and a signal name. It is comparable. The zero value is no
// id.
type NotificationID struct {
	Completion uint32
	Signal     uint32
	// Name is the name of a named signal.
	Name string
}

// Deliverable reports whether id is that of a signal for the handler: one with a
// name, or the answer of an awakeable. The signal that cancels is none.
func (id NotificationID) Deliverable() bool {
	return id.Name != "" || id.Signal >= ident.FirstAwakeable
}

// CompletionID, SignalID and NamedSignalID build the three forms.
func CompletionID(n uint32) NotificationID { return NotificationID{Completion: n} }

// SignalID names the signal with index n.
func SignalID(n uint32) NotificationID { return NotificationID{Signal: n} }

// NamedSignalID names the queue of signals called name.
func NamedSignalID(name string) NotificationID { return NotificationID{Name: name} }

// String names the id in logs and in await trees.
func (id NotificationID) String() string {
	switch {
	case id.Completion != 0:
		return "completion " + strconv.FormatUint(uint64(id.Completion), 10)
	case id.Signal != 0:
		return "signal " + strconv.FormatUint(uint64(id.Signal), 10)
	case id.Name != "":
		return "signal " + strconv.Quote(id.Name)
	default:
		return "none"
	}
}

func notificationUnion() union {
	return union{void: 4, value: 5, failure: 6, invocationID: 16, stateKeys: 17}
}

// AppendBody appends the protobuf body to b and returns it. A signal is written
// by index or by name, anything else by completion id. A Result of kind
// ResultNone is a mistake of the caller and panics.
func (n *Notification) AppendBody(b []byte) []byte {
	switch {
	case n.Type != TypeSignal:
		b = appendPresentUint(b, 1, uint64(n.ID.Completion))
	case n.ID.Signal != 0:
		b = appendPresentUint(b, 2, uint64(n.ID.Signal))
	default:
		b = appendPresentText(b, 3, n.ID.Name)
	}
	return notificationUnion().append(b, n.Type, &n.Result)
}

// Entry encodes n as the entry to append. at is in milliseconds since the
// epoch.
func (n *Notification) Entry(at int64) Entry {
	size := 16 + len(n.ID.Name) + resultHint(&n.Result)
	return Entry{Type: n.Type, Body: n.AppendBody(make([]byte, 0, size)), At: at}
}

// DecodeNotification reads the body of a notification of type t. A value is
// part of body, and an empty one is nil. Unknown fields are skipped. The error
// wraps ErrMalformed when t is no notification, when body is not a
// notification, and when it lacks its result or the id that its type needs.
func DecodeNotification(t Type, body []byte) (Notification, error) {
	n := Notification{Type: t}
	d := decoder{rest: body}
	d.require(t.IsNotification(), "type of a notification")
	identified := false
	for d.next() {
		switch {
		case d.num == 1 && t != TypeSignal:
			n.ID, identified = CompletionID(d.uint32()), true
		case d.num == 2 && t == TypeSignal:
			n.ID, identified = SignalID(d.uint32()), true
		case d.num == 3 && t == TypeSignal:
			n.ID, identified = NamedSignalID(d.text()), true
		case d.num <= 3:
			d.fail("an id of another class")
		default:
			notificationUnion().read(&d, &n.Result)
		}
	}
	d.require(identified, "id")
	d.require(n.Result.Kind != ResultNone, "result")
	if d.err != nil {
		return Notification{}, fmt.Errorf("decode %v: %w", t, d.err)
	}
	return n, nil
}
