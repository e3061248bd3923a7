package audit_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

var (
	stories   = flag.Int("audit.stories", 8, "how many random stories of several keys are audited behind each event")
	storySeed = flag.Uint64("audit.seed", 0, "seed of random stories; 0 takes one from the clock")
)

// TestNothingIsFoundInARandomStory lets random things happen to keys that call each
// other. The keeper audits behind every one of them.
func TestNothingIsFoundInARandomStory(t *testing.T) {
	t.Parallel()
	seed := *storySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -audit.seed=%d", seed)
	for n := range *stories {
		s := &teller{keeper: newKeeper(t), r: rand.New(rand.NewPCG(seed, uint64(n))), lives: map[ident.Seq]*life{}}
		for range 150 {
			s.step()
		}
		if len(all(t, s.store)) < 5 {
			t.Errorf("story %d leaves next to nothing behind", n)
		}
	}
}

// teller tells a random story.
type teller struct {
	*keeper
	r *rand.Rand
	// lives are those that have ever had an attempt; births lists them.
	lives  map[ident.Seq]*life
	births []ident.Seq
}

func (s *teller) step() {
	s.now += int64(s.r.IntN(30_000))
	if s.r.IntN(40) == 0 {
		s.now += hour
	}
	if s.r.IntN(30) == 0 {
		s.restart()
	}
	switch s.r.IntN(12) {
	case 0, 1:
		s.request()
	case 2, 3, 4, 5:
		s.attempt()
	case 6:
		s.outside()
	case 7:
		s.edit()
	case 8, 9:
		s.deliverSome()
	default:
		s.catchUp()
	}
}

// restart forgets what is in memory, as the end of the process does.
func (s *teller) restart() {
	s.objects = map[ident.ObjectKey]*machine.Object{}
	for _, row := range all(s.t, s.store) {
		if a, ok := row.(*machine.ActiveRow); ok {
			s.tell(a.Object, a.Partition, &machine.Recover{Active: *a, CountDeath: true, Turn: true})
		}
	}
}

// tell applies an event and notes which attempts it starts.
func (s *teller) tell(key ident.ObjectKey, p ident.Partition, ev machine.Event) {
	s.t.Helper()
	out := s.apply(key, p, ev)
	for _, effects := range [][]machine.Effect{out.Now, out.Gated} {
		for _, e := range effects {
			start, ok := e.(*machine.StartAttempt)
			if !ok {
				continue
			}
			l := s.lives[start.Birth]
			if l == nil {
				l = &life{k: s.keeper, id: start.ID, target: start.Target, key: key, birth: start.Birth}
				s.lives[start.Birth] = l
				s.births = append(s.births, start.Birth)
			}
			l.epoch = start.Epoch
		}
	}
}

func (s *teller) target() ident.Target {
	switch s.r.IntN(6) {
	case 0:
		return ident.Target{Service: "Plain", Handler: "h", Kind: ident.KindService}
	case 1:
		return workflow("w", "run")
	case 2:
		return workflow("w", "look")
	case 3:
		t := object(fmt.Sprint(s.r.IntN(2)))
		t.Kind = ident.KindShared
		return t
	default:
		return object(fmt.Sprint(s.r.IntN(2)))
	}
}

func (s *teller) retention(t ident.Target) machine.Retention {
	r := [...]machine.Retention{usual(), {}, {Completion: 2 * hour, Journal: hour}, {Completion: 5 * day, Journal: 5 * day}}[s.r.IntN(4)]
	r.OfWorkflow = t.Service == "Flow"
	if r.OfWorkflow {
		r.Workflow = []int64{0, 2 * hour}[s.r.IntN(2)]
	}
	return r
}

func (s *teller) request() {
	t := s.target()
	ev := &machine.Invoke{ID: s.newID(t), Target: t, Retention: s.retention(t), AnswerAccepted: true}
	switch {
	case t.Kind == ident.KindWorkflow:
		ev.ID = ident.WorkflowID(t.Service, t.Key)
	case s.r.IntN(4) == 0:
		ev.IdempotencyKey = fmt.Sprint("key", s.r.IntN(3))
		ev.ID = ident.IdempotentID(t, ev.IdempotencyKey)
	case s.r.IntN(4) == 0:
		ev.StartAt = s.now + int64(s.r.IntN(100_000))
	}
	if s.r.IntN(3) == 0 {
		s.ids++
		ev.Alias = ident.NewInvocationID(ev.ID.PartitionKey(), [16]byte{byte(s.ids), byte(s.ids >> 8), 1})
	}
	s.tell(ident.ObjectKeyOf(t, ev.ID), ev.ID.Partition(), ev)
}

// pick returns somebody who has had an attempt.
func (s *teller) pick() *life {
	if len(s.births) == 0 {
		return nil
	}
	return s.lives[s.births[s.r.IntN(len(s.births))]]
}

// attempt does what a running handler may do. One that runs no more is ignored.
func (s *teller) attempt() {
	l := s.pick()
	if l == nil {
		return
	}
	delay := int64(s.r.IntN(60_000))
	switch s.r.IntN(8) {
	case 0:
		s.append(l, &journal.Output{Result: journal.ValueOf(make([]byte, s.r.IntN(900)))})
	case 1:
		s.tell(l.key, l.id.Partition(), &machine.Fail{Birth: l.birth, Epoch: l.epoch, Failure: machine.FailureEvent{Code: 500, CommandIndex: -1}, Delay: &delay, Unlimited: true})
	case 2, 3:
		s.suspend(l)
	default:
		s.append(l, s.commands(l)...)
	}
}

func (s *teller) append(l *life, commands ...journal.Command) {
	ev := &machine.Append{Birth: l.birth, Epoch: l.epoch}
	for _, c := range commands {
		p := machine.Proposal{Entry: journal.NewEntry(c, s.now, journal.Sidecar{}), Parsed: c}
		if c, calls := c.(*journal.Call); calls {
			t := ident.Target{Service: c.Service, Key: c.Key, Handler: c.Handler, Kind: ident.KindExclusive}
			p.Callee = &machine.Callee{ID: s.newID(t), Target: t, Known: true, Retention: s.retention(t)}
		}
		_, ended := c.(*journal.Output)
		ev.Ended = ev.Ended || ended
		ev.Proposals = append(ev.Proposals, p)
	}
	s.tell(l.key, l.id.Partition(), ev)
}

func (s *teller) commands(l *life) []journal.Command {
	name := fmt.Sprint("n", s.r.IntN(3))
	choices := 4
	if l.target.Service == "Flow" {
		choices = 6
	}
	switch s.r.IntN(choices) {
	case 0:
		return []journal.Command{&journal.Sleep{WakeUpAt: uint64(s.now + int64(s.r.IntN(200_000))), Completion: l.completion()}}
	case 1:
		to := object(fmt.Sprint(s.r.IntN(2)))
		return []journal.Command{&journal.Call{Service: to.Service, Key: to.Key, Handler: to.Handler, InvocationIDCompletion: l.completion(), Completion: l.completion()}}
	case 2:
		other := s.pick()
		return []journal.Command{&journal.AttachInvocation{Target: journal.AttachTarget{InvocationID: other.id.String()}, Completion: l.completion()}}
	case 4:
		return []journal.Command{&journal.GetPromise{Key: name, Completion: l.completion()}}
	case 5:
		return []journal.Command{&journal.CompletePromise{Key: name, Completion: l.completion(), Result: journal.ValueOf(nil)}}
	}
	writes := l.target.Kind == ident.KindExclusive || l.target.Kind == ident.KindWorkflow
	switch {
	case !writes:
		return []journal.Command{&journal.Run{Name: name, Completion: l.completion()}}
	case s.r.IntN(6) == 0:
		return []journal.Command{&journal.ClearAllState{}}
	default:
		return []journal.Command{&journal.SetState{Key: name, Value: make([]byte, s.r.IntN(2)*3000)}}
	}
}

// suspend parks an attempt on all that is owed to it and an awakeable.
func (s *teller) suspend(l *life) {
	rows := s.read(machine.Need{From: (&machine.InvocationRow{ID: l.id, Birth: l.birth}).Key()})
	if len(rows) == 0 {
		return
	}
	record := rows[0].(*machine.InvocationRow)
	await := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal, ident.FirstAwakeable}}
	from := machine.Key{Partition: l.id.Partition(), Table: machine.TablePending, A: uint64(l.birth)}
	to := from
	to.A++
	for _, row := range s.read(machine.Need{From: from, To: to, Limit: 100}) {
		await.Completions = append(await.Completions, row.(*machine.PendingRow).Completion)
	}
	s.tell(l.key, l.id.Partition(), &machine.Park{Birth: l.birth, Epoch: l.epoch, Await: await, Taken: record.JournalLength, Allocated: journal.Allocated{Signals: 1}})
}

// outside does what a caller or an operator may do to an id.
func (s *teller) outside() {
	l := s.pick()
	if l == nil {
		return
	}
	if s.r.IntN(2) == 0 {
		s.tell(l.key, l.id.Partition(), &machine.Signal{ID: l.id, Signal: journal.SignalID(ident.FirstAwakeable + uint32(s.r.IntN(2))), Result: journal.VoidResult()})
		return
	}
	ops := []machine.Operation{machine.OpCancel, machine.OpKill, machine.OpPause, machine.OpResume, machine.OpPurge, machine.OpPurgeJournal}
	s.tell(l.key, l.id.Partition(), &machine.Operate{ID: l.id, Op: ops[s.r.IntN(len(ops))]})
}

func (s *teller) edit() {
	ev := &machine.EditState{OfObject: true}
	for n := range s.r.IntN(4) {
		ev.Values = append(ev.Values, machine.StateValue{Name: fmt.Sprint("e", n), Value: make([]byte, []int{5, 200_000}[s.r.IntN(2)])})
	}
	t := object(fmt.Sprint(s.r.IntN(2)))
	s.tell(ident.ObjectKeyOf(t, ident.InvocationID{}), s.newID(t).Partition(), ev)
}

// deliverSome hands over what keys owe each other, in its order.
func (s *teller) deliverSome() {
	for _, row := range all(s.t, s.store) {
		o, ok := row.(*machine.OutboxRow)
		if !ok || s.r.IntN(3) == 0 {
			continue
		}
		switch m := o.Message.Sent(o.Ref).(type) {
		case *machine.Invoke:
			s.tell(ident.ObjectKeyOf(m.Target, m.ID), m.ID.Partition(), m)
		case *machine.Returned:
			s.tell(m.To.Object, m.To.ID.Partition(), m)
		case *machine.Attach:
			s.deliverTo(o, m.ID, m)
		case *machine.Signal:
			s.deliverTo(o, m.ID, m)
		case *machine.Operate:
			s.deliverTo(o, m.ID, m)
		}
	}
}

// deliverTo finds the key of an id. One that is gone gets nothing any more; who
// wants to know is told by the key that it had.
func (s *teller) deliverTo(row *machine.OutboxRow, id ident.InvocationID, m machine.Message) {
	if rows := s.read(machine.Need{From: (&machine.IDRow{ID: id}).Key()}); len(rows) > 0 {
		s.tell(rows[0].(*machine.IDRow).Object, id.Partition(), m)
		return
	}
	for _, l := range s.lives {
		if l.id == id {
			s.tell(l.key, id.Partition(), m)
			return
		}
	}
	// It was queued and never had an attempt.
	if a, ok := m.(*machine.Attach); !ok || a.Waiter.Birth == 0 {
		s.last++
		s.commit(ident.NewSeq(1, s.last), []machine.Write{{Delete: row.Ref.Key(), ForeignOutbox: true}})
	}
}

// catchUp does what timers, chores and expiries ask for.
func (s *teller) catchUp() {
	for _, row := range all(s.t, s.store) {
		switch r := row.(type) {
		case *machine.TimerRow:
			if r.Due <= s.now {
				s.tell(r.Object, r.Partition, &machine.Wake{Timer: *r})
			}
		case *machine.ChoreRow:
			s.tell(r.Object, r.Partition, &machine.DoChore{Chore: *r})
		case *machine.ExpiryRow:
			if r.Hour*hour <= s.now {
				s.tell(r.Object, r.Partition, &machine.Expire{Expiry: *r})
			}
		case *machine.InvocationRow:
			if key := ident.ObjectKeyOf(r.Target, r.ID); r.Usual() && r.ExpiresAt <= s.now {
				s.tell(key, r.ID.Partition(), &machine.Expire{Expiry: r.Expiry(key)})
			}
		}
	}
}
