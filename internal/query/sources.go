package query

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// sources returns the rows that lead to the invocations of the list, each
// iterator in the order of the page. Which rows these are may change from page
// to page.
func (s *search) sources() ([]persistence.Iterator, error) {
	f := s.filter
	if id, ok := s.computedID(); ok {
		keys, _, err := s.gatherIDs(id, id, nil)
		return s.points(keys), err
	}
	partitions := allPartitions()
	if f.Key != nil {
		first := ident.KeyPartitionKey(*f.Key)
		keys, all, err := s.gatherIDs(ident.NewInvocationID(first, [16]byte{}), ident.NewInvocationID(first, ones()), f.Key)
		if all || err != nil {
			return s.points(keys), err
		}
		partitions = []ident.Partition{first.Partition()}
	}
	if f.Statuses == 0 || f.Statuses.Has(StatusOf(machine.StatusCompleted)) {
		return s.ranges(partitions, machine.TableInvocation, 0), nil
	}
	var all []persistence.Iterator
	if f.Statuses.Has(StatusOf(machine.StatusPending)) {
		keys, complete, err := s.gatherQueues(partitions)
		if err != nil {
			return nil, err
		}
		if !complete {
			return s.ranges(partitions, machine.TableInvocation, 0), nil
		}
		all = s.points(keys)
	}
	if f.Statuses.meets(Running | StatusOf(machine.StatusReady)) {
		all = append(all, s.ranges(partitions, machine.TableActive, 0)...)
	}
	for _, class := range f.Statuses.classes() {
		all = append(all, s.ranges(partitions, machine.TableStatus, class)...)
	}
	return all, nil
}

func allPartitions() (all []ident.Partition) {
	for p := range ident.Partition(ident.Partitions) {
		all = append(all, p)
	}
	return all
}

func ones() (uuid [16]byte) {
	for i := range uuid {
		uuid[i] = 0xFF
	}
	return uuid
}

// computedID returns the id of the one invocation that the filter can mean: an
// idempotency key, its handler and the key of the object make an id.
func (s *search) computedID() (id ident.InvocationID, ok bool) {
	f := s.filter
	if f.IdempotencyKey == "" || f.Service == "" || f.Handler == "" {
		return id, false
	}
	target := ident.Target{Service: f.Service, Handler: f.Handler}
	switch {
	case f.Key != nil:
		target.Key, target.Kind = *f.Key, ident.KindExclusive
	case s.at.Plain != nil && s.at.Plain(f.Service):
		target.Kind = ident.KindService
	default:
		return id, false
	}
	return ident.IdempotentID(target, f.IdempotencyKey), true
}

// ranges returns a walk of one table, or of one class of the status index, in
// each partition, within the window and behind the start.
func (s *search) ranges(partitions []ident.Partition, table machine.Table, class machine.StatusClass) (all []persistence.Iterator) {
	for _, p := range partitions {
		low, high := s.bounds(p)
		from, to := machine.Key{Partition: p, Table: table, A: low}, machine.Key{Partition: p, Table: table, A: high}
		if table == machine.TableStatus {
			from.A, from.B, to.A, to.B = uint64(class), low, uint64(class), high
		}
		all = append(all, s.reader.Rows(from, to, s.order()))
	}
	return all
}

// bounds returns the births of a partition that belong to the page: those in the
// window and behind the start.
func (s *search) bounds(p ident.Partition) (low, high uint64) {
	low, high = s.window.low, s.window.high
	if s.start == nil {
		return low, high
	}
	// A partition behind that of the start has the start's birth before it.
	at := s.start.birth
	if s.filter.OldestFirst {
		if p <= s.start.partition {
			at++
		}
		return max(low, at), high
	}
	if p < s.start.partition {
		at++
	}
	return low, min(high, at)
}

// gatherIDs returns the records of the ids from first to last, which are of one
// partition, and of the given key; nil is any. all is false when there are too
// many to gather.
func (s *search) gatherIDs(first, last ident.InvocationID, key *string) (keys []machine.Key, all bool, err error) {
	p := first.Partition()
	from := machine.Key{Partition: p, Table: machine.TableID, ID: first}
	it := s.reader.Rows(from, machine.Key{}, persistence.Ascending)
	defer it.Close()
	for steps := 0; it.Next(); steps++ {
		s.budget.Spend(1)
		if id := it.Key().ID; slices.Compare(id[:], last[:]) > 0 {
			return keys, true, nil
		}
		if steps == gatherSteps {
			return nil, false, nil
		}
		row, err := it.Row()
		if err != nil {
			return nil, false, err
		}
		if id, ok := row.(*machine.IDRow); ok && (key == nil || id.Object.Key == *key && (s.filter.Service == "" || id.Object.Service == s.filter.Service)) {
			keys = append(keys, machine.Key{Partition: p, Table: machine.TableInvocation, A: uint64(id.Birth)})
		}
	}
	return keys, true, it.Err()
}

// gatherQueues returns the records of everything that is queued. complete is
// false when that is too much to gather.
func (s *search) gatherQueues(partitions []ident.Partition) (keys []machine.Key, complete bool, err error) {
	steps := 0
	for _, p := range partitions {
		it := s.reader.Rows(machine.Key{Partition: p, Table: machine.TableInbox}, machine.Key{}, persistence.Ascending)
		for it.Next() {
			s.budget.Spend(1)
			if steps++; steps > gatherSteps {
				it.Close()
				return nil, false, nil
			}
			row, err := it.Row()
			if err != nil {
				it.Close()
				return nil, false, err
			}
			if in, ok := row.(*machine.InboxRow); ok && in.Kind == machine.InboxInvocation {
				keys = append(keys, machine.Key{Partition: p, Table: machine.TableInvocation, A: uint64(in.Birth)})
			}
		}
		it.Close()
		if err := it.Err(); err != nil {
			return nil, false, err
		}
	}
	return keys, true, nil
}

// points returns the gathered records that belong to the page, in its order.
func (s *search) points(keys []machine.Key) []persistence.Iterator {
	keys = slices.DeleteFunc(keys, func(k machine.Key) bool {
		low, high := s.bounds(k.Partition)
		return k.A < low || k.A >= high
	})
	slices.SortFunc(keys, func(a, b machine.Key) int { return positionOf(a).compare(positionOf(b)) })
	if s.order() == persistence.Descending {
		slices.Reverse(keys)
	}
	return []persistence.Iterator{NewPoints(s.reader, keys)}
}
