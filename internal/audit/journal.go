package audit

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// journalCheck follows one journal, entry by entry. It is used again for the next
// one.
type journalCheck struct {
	p      *partition
	record *machine.InvocationRow

	next, rows, commands uint32
	ended                bool
	// faulty says that something was found: what follows from it is not told.
	faulty bool
	// answers are the completions that commands have asked for, by their number.
	answers map[uint32]answer
	// signals are the entries of answered awakeables, by index, and signalRows
	// how many of them have a row.
	signals    map[uint32]uint32
	signalRows int
	// await is what is left of the tree of a suspended invocation, satisfied that
	// nothing is.
	await     *journal.Future
	satisfied bool
}

// answer is a completion that a command has asked for.
type answer struct {
	// notification is the type of its entry.
	notification journal.Type
	// owed says that a row of the pending table stands for it until it comes.
	owed, done bool
}

func (c *journalCheck) begin(p *partition, record *machine.InvocationRow) {
	if c.answers == nil {
		c.answers, c.signals = map[uint32]answer{}, map[uint32]uint32{}
	}
	clear(c.answers)
	clear(c.signals)
	*c = journalCheck{p: p, record: record, answers: c.answers, signals: c.signals, await: record.Await}
}

func (c *journalCheck) fault(format string, args ...any) {
	if !c.faulty {
		c.faulty = true
		c.p.find(RuleJournal, c.record.ID.String(), format, args...)
	}
}

// row takes the next row of entries. That of a journal which was dropped is
// left to a chore.
func (c *journalCheck) row(j *machine.JournalRow) {
	c.rows++
	if !c.record.HasJournal() {
		return
	}
	if j.First != c.next {
		c.fault("entry %d follows where entry %d is due", j.First, c.next)
		c.next = j.First
	}
	if len(j.Entries) == 0 {
		c.fault("the row at entry %d holds no entry", j.First)
	}
	c.entries(j.Entries)
}

func (c *journalCheck) entries(list []journal.Entry) {
	for i := range list {
		c.entry(&list[i])
		c.next++
	}
}

func (c *journalCheck) entry(e *journal.Entry) {
	if c.ended {
		c.fault("entry %d comes behind the result", c.next)
	}
	if (c.next == 0) != (e.Type == journal.TypeInput) {
		c.fault("entry %d is a %s, and the input is the first one and no other", c.next, e.Type)
	}
	switch {
	case e.Type.IsCommand():
		c.commands++
		c.command(e)
	case e.Type.IsNotification():
		c.notification(e)
	default:
		c.fault("entry %d has the unknown type %s", c.next, e.Type)
	}
}

// command notes which completions a command asks for. Commands that ask for none
// are not decoded.
func (c *journalCheck) command(e *journal.Entry) {
	switch e.Type {
	case journal.TypeOutput:
		c.ended = true
		return
	case journal.TypeGetLazyState, journal.TypeGetLazyStateKeys, journal.TypeGetPromise, journal.TypePeekPromise, journal.TypeCompletePromise,
		journal.TypeSleep, journal.TypeCall, journal.TypeOneWayCall, journal.TypeRun, journal.TypeAttachInvocation, journal.TypeGetOutput:
	default:
		return
	}
	command, err := journal.DecodeCommand(e.Type, e.Body)
	if err != nil {
		c.fault("entry %d cannot be read: %v", c.next, err)
		return
	}
	switch m := command.(type) {
	case *journal.GetLazyState:
		c.ask(m.Completion, journal.TypeLazyStateCompletion, false)
	case *journal.GetLazyStateKeys:
		c.ask(m.Completion, journal.TypeLazyStateKeysCompletion, false)
	case *journal.GetPromise:
		c.ask(m.Completion, journal.TypeGetPromiseCompletion, true)
	case *journal.PeekPromise:
		c.ask(m.Completion, journal.TypePeekPromiseCompletion, false)
	case *journal.CompletePromise:
		c.ask(m.Completion, journal.TypeCompletePromiseCompletion, false)
	case *journal.Sleep:
		c.ask(m.Completion, journal.TypeSleepCompletion, true)
	case *journal.Call:
		c.ask(m.InvocationIDCompletion, journal.TypeCallInvocationID, false)
		c.ask(m.Completion, journal.TypeCallCompletion, true)
	case *journal.OneWayCall:
		c.ask(m.InvocationIDCompletion, journal.TypeCallInvocationID, false)
	case *journal.Run:
		c.ask(m.Completion, journal.TypeRunCompletion, false)
	case *journal.AttachInvocation:
		c.ask(m.Completion, journal.TypeAttachCompletion, true)
	case *journal.GetOutput:
		c.ask(m.Completion, journal.TypeGetOutputCompletion, false)
	}
}

func (c *journalCheck) ask(completion uint32, notification journal.Type, owed bool) {
	if _, asked := c.answers[completion]; asked {
		c.fault("entry %d asks for completion %d, and another command has done so", c.next, completion)
	}
	c.answers[completion] = answer{notification: notification, owed: owed}
}

func (c *journalCheck) notification(e *journal.Entry) {
	n, err := journal.DecodeNotification(e.Type, e.Body)
	if err != nil {
		c.fault("entry %d cannot be read: %v", c.next, err)
		return
	}
	switch {
	case e.Type != journal.TypeSignal:
		c.complete(n)
	case n.ID.Signal >= ident.FirstAwakeable:
		if first, twice := c.signals[n.ID.Signal]; twice {
			c.fault("entry %d answers awakeable %d, and entry %d has done so", c.next, n.ID.Signal, first)
		}
		c.signals[n.ID.Signal] = c.next
	}
	if c.await != nil && !c.satisfied && c.next >= c.record.Taken {
		c.await, c.satisfied = c.await.Reduce(n.ID, n.Result.Kind == journal.ResultFailure)
	}
}

func (c *journalCheck) complete(n journal.Notification) {
	a, asked := c.answers[n.ID.Completion]
	switch {
	case !asked:
		c.fault("entry %d is completion %d, and no command before it has asked for that", c.next, n.ID.Completion)
	case a.done:
		c.fault("entry %d is completion %d, and another entry is so too", c.next, n.ID.Completion)
	case a.notification != n.Type:
		c.fault("entry %d is a %s, and completion %d is a %s", c.next, n.Type, n.ID.Completion, a.notification)
	}
	a.done = true
	c.answers[n.ID.Completion] = a
}

// signalRow takes a row that says which entry answers an awakeable. It comes
// behind the rows of the journal, and before its tail.
func (c *journalCheck) signalRow(s *machine.SignalRow) {
	c.signalRows++
	if s.Entry < c.record.InRows() {
		if entry, known := c.signals[s.Index]; !known || entry != s.Entry {
			c.fault("entry %d should be the answer of awakeable %d", s.Entry, s.Index)
		}
		return
	}
	at := int(s.Entry - c.record.InRows())
	if at >= len(c.record.Tail) {
		c.fault("entry %d should be the answer of awakeable %d, and there are %d entries", s.Entry, s.Index, c.record.JournalLength)
		return
	}
	e := &c.record.Tail[at]
	if e.Type != journal.TypeSignal {
		c.fault("entry %d should be the answer of awakeable %d, and it is a %s", s.Entry, s.Index, e.Type)
	} else if n, err := journal.DecodeNotification(e.Type, e.Body); err == nil && n.ID.Signal != s.Index {
		c.fault("entry %d should be the answer of awakeable %d, and it is %s", s.Entry, s.Index, n.ID)
	}
}

// unanswered counts those of the first n awakeables that have no answer.
func (c *journalCheck) unanswered(n uint32) uint32 {
	answered := uint32(0)
	for index := range c.signals {
		if index-ident.FirstAwakeable < n {
			answered++
		}
	}
	return n - answered
}

// end takes the tail of the journal, which is in the record, and what the
// invocation is owed.
func (c *journalCheck) end(waiting []machine.PendingRow) {
	if c.next != c.record.InRows() {
		c.fault("its rows hold %d entries, and its record says %d", c.next, c.record.InRows())
		c.next = c.record.InRows()
	}
	c.entries(c.record.Tail)
	switch {
	case c.commands != c.record.Commands:
		c.fault("it has %d commands, and its record says %d", c.commands, c.record.Commands)
	case c.signalRows != len(c.signals):
		c.fault("%d awakeables are answered, and %d have a row", len(c.signals), c.signalRows)
	case c.ended != (c.record.Status == machine.StatusCompleted):
		c.fault("it is %s, and whether its journal ends with the result: %t", c.record.Status, c.ended)
	}
	if c.record.Status != machine.StatusCompleted {
		c.owed(waiting)
	}
}

// owed compares what the journal of an unfinished invocation has asked for with
// the rows of what it is owed.
func (c *journalCheck) owed(waiting []machine.PendingRow) {
	open := 0
	for _, a := range c.answers {
		if a.owed && !a.done {
			open++
		}
	}
	for i := range waiting {
		w := &waiting[i]
		switch a := c.answers[w.Completion]; {
		case a.done:
			c.fault("it is owed completion %d, which it has", w.Completion)
		case !a.owed:
			c.fault("it is owed completion %d, which no command has asked for", w.Completion)
		default:
			open--
		}
	}
	if open > 0 {
		c.fault("%d completions that it has asked for neither came nor are owed to it", open)
	}
}
