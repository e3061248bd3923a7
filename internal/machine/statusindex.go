package machine

import "github.com/dormouse-run/dormouse/internal/ident"

// StatusClass is a status by which unfinished invocations are listed. The values
// are stored. It is coarser than Status in what it leaves out and finer in what
// it tells apart; the zero value stands for an invocation without a StatusRow.
//
// There is none for what other rows list already, so that the path of a call
// gets no row more: the active set lists what is ready, the queues list what is
// pending, and what is completed is found in order of creation.
type StatusClass uint8

// Classes.
const (
	ClassScheduled StatusClass = iota + 1
	// ClassSuspended is for those that have created no awakeable.
	ClassSuspended
	// ClassSuspendedIssued is for those that have: whoever looks for awakeables
	// nobody has answered begins here.
	ClassSuspendedIssued
	ClassBackingOff
	ClassPaused
)

// String returns the word of the class.
func (c StatusClass) String() string {
	switch c {
	case ClassScheduled:
		return "scheduled"
	case ClassSuspended:
		return "suspended"
	case ClassSuspendedIssued:
		return "suspended, issued awakeables"
	case ClassBackingOff:
		return "backing-off"
	case ClassPaused:
		return "paused"
	default:
		return "none"
	}
}

// Class returns the class under which r is listed, 0 for none.
func (r *InvocationRow) Class() StatusClass {
	switch r.Status {
	case StatusScheduled:
		return ClassScheduled
	case StatusSuspended:
		if r.IssuedAwakeables {
			return ClassSuspendedIssued
		}
		return ClassSuspended
	case StatusBackingOff:
		return ClassBackingOff
	case StatusPaused:
		return ClassPaused
	default:
		return 0
	}
}

// StatusRow lists an unfinished invocation under its class. The record has the
// rest.
//
// Invariant: there is one exactly for each record whose Class is not 0.
type StatusRow struct {
	Partition ident.Partition
	Class     StatusClass
	Birth     ident.Seq
}

// Key returns the key of the row.
func (r *StatusRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableStatus, A: uint64(r.Class), B: uint64(r.Birth)}
}

// index writes the StatusRow of a record that is written or removed, when its
// class is another one than that under which it is listed.
func (t *transition) index(inv *invocation) {
	class := inv.row.Class()
	if inv.removed {
		class = 0
	}
	if class == inv.listed {
		return
	}
	row := StatusRow{Partition: inv.partition(), Class: inv.listed, Birth: inv.row.Birth}
	if inv.listed != 0 {
		t.delete(row.Key())
	}
	inv.listed = class
	if class != 0 {
		row.Class = class
		t.put(&row)
	}
}
