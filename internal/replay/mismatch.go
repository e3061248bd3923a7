package replay

import (
	"fmt"
	"strings"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// Codes of failures that this package reports.
const (
	// CodeMismatch is the failure code of a Mismatch.
	CodeMismatch = 570
	// CodeViolation is the failure code of a journal that cannot be read.
	CodeViolation = 571
)

// Mismatch says that a handler does not do what its journal says. It is an
// error of the attempt: code that fits heals it.
type Mismatch struct {
	// Index is the command index at which the two differ.
	Index          uint32
	Stored, Issued Side
	// Field names the first field that differs, "" when the types or only the
	// allocations do, with its value on both sides.
	Field                    string
	StoredValue, IssuedValue string
}

// Side is one of the two sides of a Mismatch.
type Side struct {
	// Type is zero when the side is no command but a wait.
	Type journal.Type
	// Name says what the command is about, or what is waited for.
	Name      string
	Allocated journal.Allocated
}

// Error names both sides and what to do.
func (m *Mismatch) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "command %d: the journal has %v, the handler issued %v", m.Index, m.Stored, m.Issued)
	switch {
	case m.Field != "" && m.Field != fieldType:
		fmt.Fprintf(&b, "; %s differs: stored %s, issued %s", m.Field, m.StoredValue, m.IssuedValue)
	case m.Field == "" && m.Stored.Allocated != m.Issued.Allocated:
		b.WriteString("; the awakeables created or random numbers drawn before it differ")
	}
	b.WriteString(". The code has changed since this was written, or it is not deterministic: run code that fits, or kill the invocation")
	return b.String()
}

// String returns type, name and counts.
func (s Side) String() string {
	what := s.Name
	if s.Type != 0 {
		what = s.Type.String()
		if s.Name != "" {
			what += " " + s.Name
		}
	}
	text := fmt.Sprintf("%s (%d awakeables, %d draws before it", what, s.Allocated.Signals, s.Allocated.Draws)
	if s.Allocated.Signals > 0 {
		text += fmt.Sprintf(", types %016x", s.Allocated.SignalHash)
	}
	return text + ")"
}

func sideOf(c journal.Command, allocated journal.Allocated) Side {
	return Side{Type: c.Type(), Name: subject(c), Allocated: allocated}
}

// subject says in one word what a command is about.
func subject(c journal.Command) string {
	switch c := c.(type) {
	case *journal.GetLazyState:
		return c.Key
	case *journal.GetEagerState:
		return c.Key
	case *journal.SetState:
		return c.Key
	case *journal.ClearState:
		return c.Key
	case *journal.GetPromise:
		return c.Key
	case *journal.PeekPromise:
		return c.Key
	case *journal.CompletePromise:
		return c.Key
	case *journal.Call:
		return target(c.Service, c.Key, c.Handler)
	case *journal.OneWayCall:
		return target(c.Service, c.Key, c.Handler)
	case *journal.SendSignal:
		return c.Target
	case *journal.AttachInvocation:
		return attachTarget(c.Target)
	case *journal.GetOutput:
		return attachTarget(c.Target)
	case *journal.CompleteAwakeable:
		return c.AwakeableID
	default:
		return c.EntryName()
	}
}

func target(service, key, handler string) string {
	if key == "" {
		return service + "/" + handler
	}
	return service + "/" + key + "/" + handler
}

func attachTarget(t journal.AttachTarget) string {
	switch {
	case t.Idempotent != nil && t.Idempotent.Key != nil:
		return target(t.Idempotent.Service, *t.Idempotent.Key, t.Idempotent.Handler) + "?" + t.Idempotent.IdempotencyKey
	case t.Idempotent != nil:
		return target(t.Idempotent.Service, "", t.Idempotent.Handler) + "?" + t.Idempotent.IdempotencyKey
	case t.Workflow != nil:
		return t.Workflow.Service + "/" + t.Workflow.Key
	default:
		return t.InvocationID
	}
}
