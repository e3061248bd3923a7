package journal

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

// CompletionID, SignalID and NamedSignalID build the three forms.
func CompletionID(n uint32) NotificationID { return NotificationID{Completion: n} }

// SignalID names the signal with index n.
func SignalID(n uint32) NotificationID { return NotificationID{Signal: n} }

// NamedSignalID names the queue of signals called name.
func NamedSignalID(name string) NotificationID { return NotificationID{Name: name} }
