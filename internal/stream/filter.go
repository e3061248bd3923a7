package stream

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Topics is a set of topics.
type Topics uint8

// Topics.
const (
	TopicInvocation Topics = 1 << iota
	TopicObject
	TopicAwakeable
	TopicPromise
)

// Filter says which events a subscriber wants. The zero value wants every event
// of TopicInvocation except the entries of journals.
type Filter struct {
	// Topics are the wanted ones; none is TopicInvocation.
	Topics Topics
	// Service and Handler are names, "" for every one. Key is a key, nil for
	// every one; a plain service has none.
	Service, Handler string
	Key              *string
	// Invocation is an id, zero for every one. With an id, entries of its
	// journal are wanted too.
	Invocation ident.InvocationID
	// Statuses are words. An event is wanted when the status after the change is
	// one of them, or the one before it was: so a list of what has one of these
	// statuses can be kept. None is every status.
	Statuses []string
}

// Journal returns the invocation whose entries are wanted.
func (f *Filter) Journal() (id ident.InvocationID, wanted bool) {
	return f.Invocation, f.topics()&TopicInvocation != 0 && !f.Invocation.IsZero()
}

func (f *Filter) topics() Topics {
	if f.Topics == 0 {
		return TopicInvocation
	}
	return f.Topics
}

// Matches reports whether e is wanted.
func (f *Filter) Matches(e *Event) bool {
	if f.topics()&e.Kind.Topic() == 0 {
		return false
	}
	if e.Kind == InvocationJournal && f.Invocation.IsZero() {
		return false
	}
	if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, e.Status()) && !(e.Previous != "" && slices.Contains(f.Statuses, e.Previous)) {
		return false
	}
	if e.Invocation == nil {
		return f.matchesKey(e.Object)
	}
	t := &e.Invocation.Target
	switch {
	case !f.Invocation.IsZero() && f.Invocation != e.Invocation.ID, f.Handler != "" && f.Handler != t.Handler:
		return false
	case !t.Keyed():
		return f.Key == nil && (f.Service == "" || f.Service == t.Service)
	default:
		return f.matchesKey(ident.ObjectKey{Service: t.Service, Key: t.Key})
	}
}

// matchesKey decides about events of a key. Handler and Invocation are no part
// of those: whoever makes a filter refuses them together.
func (f *Filter) matchesKey(o ident.ObjectKey) bool {
	return (f.Service == "" || f.Service == o.Service) && (f.Key == nil || *f.Key == o.Key)
}
