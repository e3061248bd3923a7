package machine

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestRandomStoriesKeepTheInvariants drives one key with random events, commits
// random prefixes, passivates, crashes and recovers, and checks after every
// commit that the rows on disk fit each other. At the end everything is let run
// out, and nothing but state may be left.
func TestRandomStoriesKeepTheInvariants(t *testing.T) {
	t.Parallel()
	tellStories(t, false)
}

// TestRandomStoriesOfAWorkflowKeepTheInvariants is the same with a run, shared
// handlers and promises. At the end the workflow is removed, and nothing at all
// may be left.
func TestRandomStoriesOfAWorkflowKeepTheInvariants(t *testing.T) {
	t.Parallel()
	tellStories(t, true)
}

func tellStories(t *testing.T, workflow bool) {
	seeds := *randomSeeds
	if testing.Short() {
		seeds = min(seeds, 100)
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			p := &player{world: newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"}), workflow: workflow, r: rand.New(rand.NewPCG(1, uint64(seed)))}
			for range 300 {
				p.step()
			}
			p.finish()
		})
	}
}

var randomSeeds = flag.Int("machine.seeds", 30, "random stories of the machine")

// player makes random moves that a correct shell could make.
type player struct {
	*world
	workflow bool
	r        *rand.Rand
	made     int
	// results are completion ids that the live attempts still owe a result.
	next map[ident.Seq]uint32
}

func (p *player) step() {
	p.now += p.r.Int64N(50)
	switch n := p.r.IntN(100); {
	case n < 20:
		p.invoke()
	case n < 22:
		p.edit()
	case n < 23:
		p.restartOne()
	case n < 55:
		p.attempt()
	case n < 70:
		p.outside()
	case n < 78:
		p.fire()
	case n < 92:
		p.commitSome()
	case n < 95:
		p.commitAll()
		if p.object.Idle() {
			p.activate()
		}
	case n < 97:
		p.now += []int64{3_600_000, 3_600_000, UsualKeep}[p.r.IntN(3)]
		p.expire()
	default:
		p.crash()
		p.recoverAll(p.r.IntN(2) == 0)
	}
}

func (p *player) invoke() {
	p.made++
	kind := []ident.Kind{ident.KindExclusive, ident.KindExclusive, ident.KindShared}[p.r.IntN(3)]
	ev := &Invoke{ID: p.id(fmt.Sprint("i", p.made)), Target: ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: kind}, Token: Token(p.made), Value: []byte("v")}
	if p.r.IntN(3) == 0 {
		ev.IdempotencyKey = "x"
		ev.ID = p.id(fmt.Sprint("x", p.r.IntN(4)))
	}
	if p.r.IntN(2) == 0 {
		ev.Retention = Retention{Completion: []int64{UsualKeep, p.r.Int64N(2 * 3_600_000)}[p.r.IntN(2)], Journal: []int64{UsualKeep, 3_600_000}[p.r.IntN(2)]}
	}
	if p.r.IntN(5) == 0 {
		ev.StartAt = p.now + p.r.Int64N(200)
	}
	if p.r.IntN(3) == 0 {
		ev.Alias = p.id(fmt.Sprint("alias", p.made))
	}
	if p.workflow {
		p.ofWorkflow(ev)
	}
	p.apply(ev)
}

// ofWorkflow makes the invocation that of a workflow handler: mostly a shared one,
// sometimes the run.
func (p *player) ofWorkflow(ev *Invoke) {
	ev.Target.Kind = ident.KindShared
	ev.Retention.OfWorkflow, ev.Retention.Workflow = true, []int64{0, 3_600_000}[p.r.IntN(2)]
	if p.r.IntN(4) == 0 {
		ev.ID, ev.Target.Kind, ev.IdempotencyKey = p.id("run"), ident.KindWorkflow, ""
		ev.Retention.Completion = ev.Retention.Workflow
	}
}

// pick returns one of the invocations in memory for which match holds.
func (p *player) pick(match func(*invocation) bool) *invocation {
	var best *invocation
	for _, inv := range p.object.invocations {
		if match(inv) && (best == nil || inv.row.Birth > best.row.Birth == (p.r.IntN(2) == 0)) {
			best = inv
		}
	}
	return best
}

// attempt lets one live attempt do something.
func (p *player) attempt() {
	inv := p.pick(func(inv *invocation) bool { return inv.live })
	if inv == nil {
		return
	}
	birth, epoch := inv.row.Birth, inv.row.Epoch
	if p.next == nil {
		p.next = map[ident.Seq]uint32{}
	}
	if p.next[birth] == 0 {
		p.next[birth] = inv.row.JournalLength * 10
	}
	switch n := p.r.IntN(10); {
	case n < 6:
		ev := &Append{Birth: birth, Epoch: epoch}
		for range p.r.IntN(4) {
			ev.Proposals = append(ev.Proposals, p.proposal(p.line(inv)))
		}
		if p.r.IntN(3) == 0 {
			ev.Ended = true
			ev.Proposals = append(ev.Proposals, p.proposal([]string{"output", "o"}))
		}
		p.apply(ev)
	case n < 9:
		f := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{1, 17 + uint32(p.r.IntN(3))}, Completions: []uint32{p.next[birth]}}
		p.apply(&Park{Birth: birth, Epoch: epoch, Await: f, Taken: inv.row.JournalLength, Allocated: journal.Allocated{Signals: 3}})
	default:
		p.apply(&Fail{Birth: birth, Epoch: epoch, Failure: FailureEvent{Code: 500, Message: "boom"},
			Policy: RetryPolicy{InitialInterval: 50, Factor: 2, MaxInterval: 200, MaxAttempts: 3, KillOnExhausted: p.r.IntN(2) == 0}})
	}
}

func (p *player) line(inv *invocation) []string {
	p.next[inv.row.Birth] += 2
	c := fmt.Sprint(p.next[inv.row.Birth])
	name := fmt.Sprint("s", p.r.IntN(4))
	lines := [][]string{{"run", c}, {"ran", c, "1"}, {"sleep", c, fmt.Sprint(p.now + p.r.Int64N(100))}, {"call", c, fmt.Sprint("child", p.made)}, {"send", "orphan"}}
	if inv.row.Retention.OfWorkflow {
		name := fmt.Sprint("p", p.r.IntN(3))
		lines = append(lines, []string{"get", c, name}, []string{"get", c, name}, []string{"peek", c, name}, []string{"resolve", c, name, "v"}, []string{"reject", c, name, "no"})
	}
	if inv.exclusive() || inv.run() {
		lines = append(lines, []string{"set", name, "v"}, []string{"set", name, "size:600"}, []string{"clear", name}, []string{"clearall"})
	}
	return lines[p.r.IntN(len(lines))]
}

// outside lets the world outside do something to an invocation.
func (p *player) outside() {
	id := p.id(fmt.Sprint([]string{"i", "x"}[p.r.IntN(2)], p.r.IntN(p.made+2)))
	if inv := p.pick(func(*invocation) bool { return true }); inv != nil && p.r.IntN(2) == 0 {
		id = inv.row.ID
	}
	switch p.r.IntN(5) {
	case 0:
		if inv := p.pick(func(inv *invocation) bool { return !inv.row.Alias.IsZero() }); inv != nil {
			p.resolveByAlias(inv)
			break
		}
		fallthrough
	case 1:
		p.apply(&Signal{Token: 1, ID: id, Signal: journal.SignalID(17 + uint32(p.r.IntN(3))), Result: journal.VoidResult()})
	case 2:
		p.apply(&Attach{Token: 1, ID: id, Peek: p.r.IntN(2) == 0})
	case 3:
		p.apply(&Attach{From: OutboxRef{Seq: 1}, ID: id, Waiter: Address{Object: p.key, ID: id, Birth: 3, Completion: 4}})
	default:
		p.apply(&Operate{Token: 1, ID: id, Op: []Operation{OpCancel, OpKill, OpPause, OpResume, OpPurge, OpPurgeJournal}[p.r.IntN(6)]})
	}
	if inv := p.pick(func(inv *invocation) bool { return len(inv.pending) > 0 }); inv != nil {
		for c, row := range inv.pending {
			if row != nil && row.Called && p.r.IntN(2) == 0 {
				p.apply(&Returned{From: OutboxRef{Seq: 2}, To: inv.address(p.key, c), Type: journal.TypeCallCompletion, Result: journal.VoidResult()})
				break
			}
		}
	}
}

// fire fires the timers on disk that are due: twice, as a heap may.
func (p *player) fire() {
	for _, row := range p.rows(TableTimer) {
		if timer := row.(*TimerRow); timer.Due <= p.now {
			p.apply(&Wake{Timer: *timer})
			if p.r.IntN(4) == 0 {
				p.apply(&Wake{Timer: *timer})
			}
		}
	}
	for _, row := range p.rows(TableChore) {
		p.commitAll()
		if p.r.IntN(4) == 0 {
			p.edit() // what is queued behind a chore need not be durable when it is reached
		}
		p.apply(&DoChore{Chore: *row.(*ChoreRow)})
	}
}

func (p *player) expire() {
	for _, row := range p.rows(TableExpiry) {
		if e := row.(*ExpiryRow); e.Hour*3_600_000 <= p.now {
			p.apply(&Expire{Expiry: *e})
		}
	}
	for _, row := range p.rows(TableInvocation) {
		if r := row.(*InvocationRow); r.Usual() && r.ExpiresAt <= p.now {
			p.apply(&Expire{Expiry: r.Expiry(p.key)})
		}
	}
}

func (p *player) rows(table Table) []Row {
	var rows []Row
	for part := range ident.Partition(ident.Partitions) {
		rows = append(rows, p.read(Need{From: Key{Partition: part, Table: table}, To: Key{Partition: part, Table: table + 1}, Limit: 1 << 20})...)
	}
	return rows
}

// commitSome makes a prefix of the line durable, output by output.
func (p *player) commitSome() {
	n := p.r.IntN(len(p.line0()) + 1)
	rest := p.world.line[n:]
	p.world.line = p.world.line[:n]
	p.commitAll()
	p.world.line = rest
}

func (p *player) line0() []Output { return p.world.line }

func (p *player) commitAll() {
	p.commit()
	p.checkDisk()
}

func (p *player) recoverAll(death bool) {
	for _, row := range p.rows(TableActive) {
		p.apply(&Recover{Active: *row.(*ActiveRow), CountDeath: death})
		p.apply(&Recover{Active: *row.(*ActiveRow), CountDeath: death, Turn: true}) // of one that is suspected
	}
}

// finish lets every invocation end and every retention pass.
func (p *player) finish() {
	for range 2000 {
		p.commit()
		p.now += 1000
		p.fire()
		if inv := p.pick(func(inv *invocation) bool { return inv.live }); inv != nil {
			p.apply(&Append{Birth: inv.row.Birth, Epoch: inv.row.Epoch, Ended: true, Proposals: []Proposal{p.proposal([]string{"output", "o"})}})
			continue
		}
		busy := false
		for _, row := range p.rows(TableInvocation) {
			if inv := row.(*InvocationRow); inv.Status != StatusCompleted {
				p.apply(&Operate{ID: inv.ID, Op: OpKill})
				busy = true
				break
			}
		}
		if busy || len(p.rows(TableTimer))+len(p.rows(TableChore)) > 0 {
			continue
		}
		if len(p.rows(TableInvocation))+len(p.rows(TableExpiry))+len(p.rows(TableMarker)) == 0 {
			break
		}
		p.now += 30 * 3_600_000
		p.expire()
	}
	p.commitAll()
	p.object.Settle(p.durable)
	if n := len(p.object.patches); n > 0 {
		p.t.Errorf("%d patches are left in memory", n)
	}
	for k, row := range p.disk {
		switch k.Table {
		case TableOutbox:
		case TableHead, TableState:
			if p.workflow {
				p.t.Errorf("left over: %s", p.describe(row))
			}
		default:
			p.t.Errorf("left over: %s", p.describe(row))
		}
	}
}
