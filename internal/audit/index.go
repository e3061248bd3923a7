package audit

import (
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// timerKey is a timer with the attempt that has set it.
type timerKey struct {
	due   int64
	birth ident.Seq
	slot  uint32
	epoch ident.Seq
}

// markerKey is a marker with what removes it.
type markerKey struct {
	id    ident.InvocationID
	birth ident.Seq
	hour  int64
}

// of returns the invocation that a row names, nil when nothing is to be said: there
// is none and a finding says so, or it cannot be read.
func (p *partition) of(birth ident.Seq, rule Rule, key, what string) *record {
	r := p.records[birth]
	switch {
	case r != nil && r.unreadable:
		return nil
	case r == nil && !p.unsure:
		p.find(rule, key, "%s belongs to no invocation: there is none of birth %v", what, birth)
	}
	return r
}

func (p *partition) status(s *machine.StatusRow) {
	r := p.of(s.Birth, RuleOwner, fmt.Sprintf("birth %v", s.Birth), "a place in the list "+s.Class.String())
	switch {
	case r == nil:
	case r.class != s.Class:
		p.find(RuleStatus, r.name(), "it is %s and is listed as %s", r.status, s.Class)
	default:
		r.found |= foundStatus
	}
}

func (p *partition) id(i *machine.IDRow) {
	r := p.of(i.Birth, RuleOwner, i.ID.String(), "the id")
	switch {
	case r == nil:
	case r.id != i.ID:
		p.find(RuleName, i.ID.String(), "it leads to %s", r.id)
	case r.object != i.Object:
		p.find(RuleName, i.ID.String(), "it leads to key %s, and the invocation is one of %s", i.Object, r.object)
	default:
		r.found |= foundID
	}
}

func (p *partition) alias(a *machine.AliasRow) {
	r := p.of(a.Birth, RuleOwner, a.Alias.String(), "the alias")
	switch {
	case r == nil:
	case r.alias != a.Alias || r.object != a.Object:
		p.find(RuleName, a.Alias.String(), "as an alias it leads to %s of %s, which has another one", r.id, r.object)
	default:
		r.found |= foundAlias
	}
}

// timer looks at one timer. That of a sleep outlives its invocation.
func (p *partition) timer(t *machine.TimerRow) {
	if t.Due < p.marks.Timers {
		p.find(RuleTimer, t.ID.String(), "its timer of %s lies below the mark, which is %s: it never fires", moment(t.Due), moment(p.marks.Timers))
	}
	r := p.records[t.Birth]
	over := r == nil || r.status == machine.StatusCompleted
	if t.Slot != machine.SlotWake && over || r != nil && r.unreadable {
		return
	}
	key := timerKey{t.Due, t.Birth, t.Slot, t.Epoch}
	switch waits := p.timers[key]; {
	case waits == nil && r == nil && p.unsure:
	case waits == nil:
		p.find(RuleTimer, t.ID.String(), "nobody waits for its timer of %s, slot %d", moment(t.Due), t.Slot)
	case waits.id != t.ID || waits.object != t.Object:
		p.find(RuleTimer, waits.name(), "its timer of %s names %s of %s", moment(t.Due), t.ID, t.Object)
		delete(p.timers, key)
	default:
		delete(p.timers, key)
	}
}

// finishTimers finds those whose timer is missing.
func (p *partition) finishTimers() {
	for key, r := range p.timers {
		switch {
		case r.unreadable:
		case key.slot != machine.SlotWake:
			p.find(RuleTimer, r.name(), "the timer of its sleep %d, due at %s, is missing", key.slot, moment(key.due))
		default:
			p.find(RuleReason, r.name(), "it is %s, and its timer of %s is missing", r.status, moment(key.due))
		}
	}
}

// moment writes a time in milliseconds.
func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// expiry looks at what removes something. The row for a journal outlives an
// invocation that was removed before.
func (p *partition) expiry(e *machine.ExpiryRow) {
	switch e.What {
	case machine.ExpireMarker:
		p.markers[markerKey{e.ID, e.Birth, e.Hour}] = true
		return
	case machine.ExpireWorkflow:
		p.expiresWorkflow(e)
		return
	case machine.ExpireJournal:
		if r := p.records[e.Birth]; r != nil && r.expiresJournal == e.Hour {
			r.found |= foundJournalExpiry
		}
		return
	case machine.ExpireInvocation:
	default:
		p.find(RuleExpiry, e.ID.String(), "a row in hour %d removes the unknown thing %d", e.Hour, e.What)
		return
	}
	r := p.of(e.Birth, RuleOwner, e.ID.String(), "what removes it")
	switch {
	case r == nil:
	case r.id != e.ID || r.object != e.Object || r.expires != e.Hour:
		p.find(RuleExpiry, r.name(), "it is %s, and a row removes %s of %s in hour %d instead of %d", r.status, e.ID, e.Object, e.Hour, r.expires)
	default:
		r.found |= foundExpiry
	}
}

func (p *partition) marker(m *machine.MarkerRow) {
	key := markerKey{m.ID, m.Birth, m.Hour}
	if !p.markers[key] && !p.lost[machine.TableExpiry] {
		p.find(RuleExpiry, m.ID.String(), "its marker is never removed")
	}
	delete(p.markers, key)
}
