package sim

import (
	"slices"
	"time"
)

// Shrink makes a plan smaller as long as the same invariant does not hold in it, and
// returns the smallest one that it has found within a time. Each smaller plan is
// tried in several orders: with less going on, the one that broke it is another.
func Shrink(p *Plan, broken *Violation, within time.Duration) (*Plan, *Violation) {
	s := &shrinker{plan: p, broken: broken, until: time.Now().Add(within)}
	for s.round() {
	}
	return s.plan, s.broken
}

// ordersTried is how many orders are tried for each smaller plan.
const ordersTried = 40

type shrinker struct {
	plan   *Plan
	broken *Violation
	until  time.Time
}

// round tries every way to take something away, and reports whether one was found.
func (s *shrinker) round() (smaller bool) {
	for _, candidate := range s.candidates() {
		if time.Now().After(s.until) {
			return false
		}
		smaller = s.try(candidate) || smaller
		if smaller {
			return true // what else can be taken away is another list now
		}
	}
	return smaller
}

// try runs a candidate, and takes it when it breaks the same invariant.
func (s *shrinker) try(p *Plan) bool {
	for i := range uint64(ordersTried) {
		other := *p
		other.Seed = s.plan.Seed + i
		if _, broken := Run(&other, discard(), nil); broken != nil && broken.Invariant == s.broken.Invariant {
			s.plan, s.broken = &other, broken
			return true
		}
		if time.Now().After(s.until) {
			return false
		}
	}
	return false
}

// candidates returns the plans that lack one thing, those that lack most first.
func (s *shrinker) candidates() (list []*Plan) {
	p := s.plan
	for i := range p.Requests {
		smaller := *p
		smaller.Requests = slices.Delete(slices.Clone(p.Requests), i, i+1)
		list = append(list, &smaller)
	}
	for i := range p.Ends {
		smaller := *p
		smaller.Ends = slices.Delete(slices.Clone(p.Ends), i, i+1)
		list = append(list, &smaller)
	}
	for i := range p.Requests {
		for _, program := range withoutOne(&p.Requests[i].Program) {
			smaller := *p
			smaller.Requests = slices.Clone(p.Requests)
			smaller.Requests[i].Program = program
			list = append(list, &smaller)
		}
	}
	if plain := (House{Linger: -1, Inactivity: time.Minute.Milliseconds(), MaxRunning: 8, MaxLive: 8, MaxHot: 8, Retention: p.Retention}); p.House != plain {
		smaller := *p
		smaller.House = plain
		list = append(list, &smaller)
	}
	return list
}

// withoutOne returns the programs that lack one step, here or in what they call.
func withoutOne(p *Program) (list []Program) {
	for i := range p.Steps {
		smaller := *p
		smaller.Steps = slices.Delete(slices.Clone(p.Steps), i, i+1)
		list = append(list, smaller)
	}
	for i := range p.Steps {
		if p.Steps[i].Sub == nil {
			continue
		}
		for _, sub := range withoutOne(p.Steps[i].Sub) {
			smaller := *p
			smaller.Steps = slices.Clone(p.Steps)
			smaller.Steps[i].Sub = &sub
			list = append(list, smaller)
		}
	}
	if p.Fails > 0 || p.Terminal {
		smaller := *p
		smaller.Fails, smaller.Terminal = 0, false
		list = append(list, smaller)
	}
	return list
}
