package audit

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// swept names rows of one table under a birth or a generation.
type swept struct {
	table machine.Table
	owner ident.Seq
}

// sweeps are the chores of a partition: rows in their range have no owner any
// more, or have not got one yet.
type sweeps struct {
	swept map[swept]bool
	// serving are the keys whose queue a chore serves, with the generation whose
	// first rows it has written.
	serving map[ident.ObjectKey]ident.Seq
	// answering are promises whose listeners a chore answers; number 0 stands for
	// all of a generation.
	answering map[promiseKey]bool
}

func (s *sweeps) init() {
	s.swept, s.serving, s.answering = map[swept]bool{}, map[ident.ObjectKey]ident.Seq{}, map[promiseKey]bool{}
}

func (s *sweeps) clear() {
	clear(s.swept)
	clear(s.serving)
	clear(s.answering)
}

func (s *sweeps) add(owner ident.Seq, tables ...machine.Table) {
	for _, t := range tables {
		s.swept[swept{t, owner}] = true
	}
}

func (s *sweeps) has(t machine.Table, owner ident.Seq) bool { return s.swept[swept{t, owner}] }

// answers reports whether the listeners of a promise are about to be answered.
func (s *sweeps) answers(k promiseKey) bool {
	return s.answering[k] || s.answering[promiseKey{generation: k.generation}]
}

func (p *partition) chore(c *machine.ChoreRow) {
	s := &p.sweeps
	switch c.Kind {
	case machine.ChoreSweepInvocation:
		s.add(c.Birth, machine.TableJournal, machine.TableSignal, machine.TablePending)
	case machine.ChoreSweepJournal:
		s.add(c.Birth, machine.TableJournal, machine.TableSignal)
	case machine.ChoreSweepState:
		s.add(c.Generation, machine.TableState)
	case machine.ChoreAnswer:
		s.add(c.Birth, machine.TableWaiter)
	case machine.ChoreKillCallees, machine.ChoreStopListening:
		s.add(c.Birth, machine.TablePending)
	case machine.ChoreAnswerListeners:
		s.answering[promiseKey{c.Generation, c.Promise}] = true
	case machine.ChoreSweepPromises:
		s.add(c.Generation, machine.TablePromise, machine.TableListener)
	case machine.ChoreServeQueue:
		s.serving[c.Object] = max(s.serving[c.Object], c.Generation)
	default:
		p.find(RuleOwner, c.Object.String(), "chore %v has the unknown kind %d", c.Seq, c.Kind)
	}
}
