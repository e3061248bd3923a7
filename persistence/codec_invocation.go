package persistence

import (
	"fmt"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func (e *encoder) invocation(r *machine.InvocationRow) {
	e.id(r.ID)
	e.target(&r.Target)
	e.u8(uint8(r.Status))
	e.flags(r.PauseRequested, r.IssuedAwakeables, !r.Alias.IsZero())
	e.time(r.CreatedAt)
	e.time(r.ModifiedAt)
	e.time(r.RunningAt)
	e.time(r.ScheduledFor)
	e.seq(r.InboxSeq)
	e.u8(uint8(r.InvokedBy))
	e.caller(&r.Caller)
	e.text(r.IdempotencyKey)
	e.u64(r.RandomSeed)
	e.retention(r.Retention)
	e.n32(r.JournalLength)
	e.n32(r.Commands)
	e.n32(r.JournalRows)
	e.n32(r.Signals)
	e.n32(r.Pending)
	e.n32(r.Waiters)
	e.seq(r.Epoch)
	e.await(r.Await)
	e.n32(r.Taken)
	e.allocated(&r.Allocated)
	e.retry(&r.Retry)
	e.failures(r.Failures)
	e.result(&r.Result)
	e.time(r.CompletedAt)
	e.time(r.ExpiresAt)
	e.n32(r.Unread)
	e.optionalID(r.RestartedFrom)
	if !r.Alias.IsZero() {
		e.id(r.Alias)
	}
	e.entries(r.Tail)
}

func (d *decoder) invocation(birth ident.Seq) *machine.InvocationRow {
	r := &machine.InvocationRow{Birth: birth, ID: d.id(), Target: d.target(), Status: machine.Status(d.u8())}
	flags := d.flags()
	r.PauseRequested, r.IssuedAwakeables = flags[0], flags[1]
	r.CreatedAt, r.ModifiedAt, r.RunningAt, r.ScheduledFor = d.time(), d.time(), d.time(), d.time()
	r.InboxSeq = d.seq()
	r.InvokedBy = machine.InvokedBy(d.u8())
	r.Caller = d.caller()
	r.IdempotencyKey = d.text()
	r.RandomSeed = d.u64()
	r.Retention = d.retention()
	r.JournalLength, r.Commands, r.JournalRows = d.n32(), d.n32(), d.n32()
	r.Signals, r.Pending, r.Waiters = d.n32(), d.n32(), d.n32()
	r.Epoch = d.seq()
	r.Await = d.await()
	r.Taken = d.n32()
	r.Allocated = d.allocated()
	r.Retry = d.retry()
	r.Failures = d.failures()
	r.Result = d.result()
	r.CompletedAt, r.ExpiresAt = d.time(), d.time()
	r.Unread = d.n32()
	r.RestartedFrom = d.optionalID()
	if flags[2] {
		r.Alias = d.id()
	}
	r.Tail = d.entries()
	return r
}

// caller takes one byte when there is none, which is the common case.
func (e *encoder) caller(c *machine.Caller) {
	if *c == (machine.Caller{}) {
		e.u8(0)
		return
	}
	e.u8(1)
	e.id(c.ID)
	e.target(&c.Target)
	e.address(&c.ReplyTo)
}

func (d *decoder) caller() machine.Caller {
	if d.u8() == 0 {
		return machine.Caller{}
	}
	return machine.Caller{ID: d.id(), Target: d.target(), ReplyTo: d.address()}
}

// optionalID takes one byte when there is none, which is the common case.
func (e *encoder) optionalID(id ident.InvocationID) {
	if id.IsZero() {
		e.u8(0)
		return
	}
	e.u8(1)
	e.id(id)
}

func (d *decoder) optionalID() (id ident.InvocationID) {
	if d.u8() != 0 {
		id = d.id()
	}
	return id
}

func (e *encoder) retention(r machine.Retention) {
	e.int(r.Completion)
	e.int(r.Completion - r.Journal) // mostly none
	e.flags(r.OfWorkflow)
	e.int(r.Workflow)
}

func (d *decoder) retention() machine.Retention {
	r := machine.Retention{Completion: d.int()}
	r.Journal = r.Completion - d.int()
	r.OfWorkflow, r.Workflow = d.flags()[0], d.int()
	return r
}

func (e *encoder) retry(r *machine.Retry) {
	e.n32(r.Attempts)
	e.time(r.Since)
	e.time(r.NextAt)
	e.n32(r.Deaths)
}

func (d *decoder) retry() machine.Retry {
	return machine.Retry{Attempts: d.n32(), Since: d.time(), NextAt: d.time(), Deaths: d.n32()}
}

func (e *encoder) failures(list []machine.FailureEvent) {
	e.num(uint64(len(list)))
	for i := range list {
		f := &list[i]
		e.time(f.At)
		e.n32(f.Code)
		e.text(f.Message)
		e.int(int64(f.CommandIndex))
		e.num(uint64(f.CommandType))
		e.text(f.CommandName)
	}
}

func (d *decoder) failures() []machine.FailureEvent {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]machine.FailureEvent, n)
	for i := range list {
		list[i] = machine.FailureEvent{
			At: d.time(), Code: d.n32(), Message: d.text(),
			CommandIndex: d.commandIndex(), CommandType: d.entryType(), CommandName: d.text(),
		}
	}
	return list
}

func (d *decoder) commandIndex() int32 {
	v := d.int()
	if v != int64(int32(v)) {
		d.fail()
	}
	return int32(v)
}

// maxAwaitDepth bounds the nesting of an await tree. It is below what the reader
// of the protocol follows, so that what is stored can be read.
const maxAwaitDepth = 1000

var errAwaitDepth = fmt.Errorf("an await tree is nested deeper than %d: %w", maxAwaitDepth, ErrTooLarge)

// deeper reports whether f is nested deeper than n.
func deeper(f *journal.Future, n int) bool {
	return n == 0 || slices.ContainsFunc(f.Nested, func(in *journal.Future) bool { return deeper(in, n-1) })
}

// await appends the tree of a suspended invocation: the protocol's message.
func (e *encoder) await(f *journal.Future) {
	switch {
	case f == nil:
		e.num(0)
		return
	case deeper(f, maxAwaitDepth):
		e.err = errAwaitDepth
		return
	}
	body := f.AppendBody(nil)
	e.inline(body, 0)
	e.raw(body)
}

func (d *decoder) await() *journal.Future {
	body := d.payload()
	if body == nil {
		return nil
	}
	f, err := journal.DecodeFuture(body)
	if err != nil {
		d.fail()
		return nil
	}
	return f
}

func (d *decoder) texts() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.text()
	}
	return list
}
