package objects

import (
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// stateView is the state as the handler sees it: what the attempt was started
// with, with its new writes over it. Stored commands are not applied again; what
// they did is in the start. A shared handler has no view of its own, because
// others write while it runs.
type stateView struct {
	// start is sorted by name. It belongs to the host, and is only read.
	start []StateValue
	// complete says that what start does not list does not exist.
	complete bool
	// own holds what this attempt wrote or has read from the host; cleared says
	// that start counts no more.
	own     ownState
	cleared bool
	shared  bool
	// through leaves everything to the host, which sees each write at once.
	through bool
}

func (s *stateView) init(a *Attempt) {
	if s.shared = a.Target.Kind == ident.KindShared; !s.shared {
		s.start, s.complete = a.State, a.StateComplete
	}
}

// read reports the value of key, or that only the host knows it.
func (s *stateView) read(key string) (value []byte, found, known bool) {
	if v := s.own.find(key); v != nil {
		return v.bytes, v.found, true
	}
	if s.through {
		return nil, false, false
	}
	if s.cleared {
		return nil, false, true
	}
	i, found := slices.BinarySearchFunc(s.start, key, func(v StateValue, key string) int { return strings.Compare(v.Name, key) })
	if found {
		value = s.start[i].Value
	}
	return value, found, found || s.complete
}

func (s *stateView) write(key string, value []byte, found bool) {
	if !s.through {
		s.own.set(ownValue{key, value, found})
	}
}

// keep remembers what the host has answered.
func (s *stateView) keep(key string, value []byte, found bool) {
	if !s.shared {
		s.write(key, value, found)
	}
}

func (s *stateView) clear() { s.own, s.cleared = ownState{}, !s.through }

// ownValue is a value, or found to be absent.
type ownValue struct {
	name  string
	bytes []byte
	found bool
}

// ownState is a small map. Most handlers write one or two names, for which a map
// costs more than all else that an attempt allocates; so names are searched one
// after the other as long as they are few.
type ownState struct {
	list []ownValue
	// index finds the names in list once there are more than fewNames.
	index map[string]int
}

// fewNames is how many names are searched without an index.
const fewNames = 8

// find returns nil for a name that is not there. What it returns holds until the
// next set.
func (o *ownState) find(name string) *ownValue {
	if o.index != nil {
		if i, found := o.index[name]; found {
			return &o.list[i]
		}
		return nil
	}
	for i := range o.list {
		if o.list[i].name == name {
			return &o.list[i]
		}
	}
	return nil
}

func (o *ownState) set(v ownValue) {
	if old := o.find(v.name); old != nil {
		*old = v
		return
	}
	o.list = append(o.list, v)
	switch {
	case o.index != nil:
		o.index[v.name] = len(o.list) - 1
	case len(o.list) > fewNames:
		o.index = make(map[string]int, 2*fewNames)
		for i := range o.list {
			o.index[o.list[i].name] = i
		}
	}
}
