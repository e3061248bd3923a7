package ident

import "crypto/sha256"

// Kind says how a handler is scheduled. It is pinned when an invocation is
// accepted. The values are stored.
type Kind uint8

const (
	// KindService is a handler of a keyless service: every invocation is its
	// own key.
	KindService Kind = iota + 1
	// KindExclusive is a handler of an object that holds the key: one at a
	// time, in the order of acceptance.
	KindExclusive
	// KindShared is a handler of an object or workflow that only reads and
	// runs beside others.
	KindShared
	// KindWorkflow is the run handler of a workflow: once per key.
	KindWorkflow
)

// String returns the word used in answers and logs.
func (k Kind) String() string {
	switch k {
	case KindService:
		return "service"
	case KindExclusive:
		return "exclusive"
	case KindShared:
		return "shared"
	case KindWorkflow:
		return "workflow"
	default:
		return "unknown"
	}
}

// Target names a handler, and for objects and workflows the key.
type Target struct {
	Service string
	// Key is the object key or workflow id. It is empty for a plain service;
	// the empty string is also a valid object key, so Kind decides.
	Key     string
	Handler string
	Kind    Kind
}

// Keyed reports whether the target belongs to an object or a workflow.
func (t Target) Keyed() bool { return t.Kind != KindService }

// String returns Service/Handler or Service/Key/Handler.
func (t Target) String() string {
	if t.Keyed() {
		return t.Service + "/" + t.Key + "/" + t.Handler
	}
	return t.Service + "/" + t.Handler
}

// ObjectKey names one object: what an actor stands for and what rows are
// grouped by. For an invocation of a plain service Key is the text of its
// invocation id: such an invocation is its own key, used once.
type ObjectKey struct {
	Service string
	Key     string
}

// String returns Service/Key.
func (o ObjectKey) String() string { return o.Service + "/" + o.Key }

// ObjectID is the fixed-width name of an object in row keys. The full names
// stand in the row and are compared when it is read.
type ObjectID [16]byte

// ID returns the first sixteen bytes of SHA-256 over service, a zero byte and
// key.
func (o ObjectKey) ID() ObjectID {
	h := sha256.New()
	h.Write([]byte(o.Service))
	h.Write([]byte{0})
	h.Write([]byte(o.Key))
	return ObjectID(h.Sum(nil)[:16])
}
