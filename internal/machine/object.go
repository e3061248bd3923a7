package machine

import "github.com/dormouse-run/dormouse/internal/ident"

// Object is the state of one key in memory.
type Object struct{ key ident.ObjectKey }

// New returns the object of key. Its head arrives by Loaded.
func New(p ident.Partition, key ident.ObjectKey) *Object { return &Object{key: key} }

// Apply changes the object and fills out, which the caller has Reset. When it
// returns needs, nothing has changed: the caller reads these rows, hands them
// to Loaded, and applies the same event again before any other one.
func (o *Object) Apply(at Stamp, ev Event, out *Output) (needs []Need) { return nil }

// Loaded hands over what a need asked for: no rows when there are none.
func (o *Object) Loaded(n Need, rows []Row) error { return nil }

// Settle says that every output up to durable is on disk, so that what they
// wrote may be forgotten and read again.
func (o *Object) Settle(durable ident.Seq) {}

// Idle reports whether the object holds nothing that the store does not, once
// its outputs are durable: no attempt is running and no parked work is left.
func (o *Object) Idle() bool { return true }
