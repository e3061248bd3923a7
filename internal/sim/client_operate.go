package sim

import (
	"context"
	"errors"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// attach waits for the result of some invocation until there is an answer.
func (w *world) attach() {
	text := w.pick(false)
	if text == "" {
		return
	}
	id, err := ident.ParseInvocationID(text)
	if err != nil {
		w.loop.fail(InvariantAcked, "the id %q: %v", text, err)
		return
	}
	w.insist("attach", func(rt *actors.Runtime) error {
		response, err := rt.Attach(context.Background(), id)
		if err == nil {
			w.judgeResult(response)
		}
		return err
	})
}

// purge removes an invocation that is complete, or only its journal.
func (w *world) purge(times int) {
	text := w.pick(true)
	if text == "" {
		return
	}
	record, _ := w.record(text)
	if record != nil && record.IdempotencyKey != "" {
		return // its client may repeat it
	}
	w.purged[text] = true
	op := machine.OpPurge
	if times > 1 {
		op = machine.OpPurgeJournal
	}
	w.operation(op, text)
}

// restart makes a new invocation of one that is complete, with a part of its
// journal. What that does has been done before, so it counts for nothing.
func (w *world) restart(from int) {
	text := w.pick(true)
	if text == "" {
		return
	}
	record, _ := w.record(text)
	if record == nil || !record.HasJournal() || record.Target.Kind == ident.KindWorkflow {
		return
	}
	if p := w.program(record); p != nil {
		w.chronicle.disturb(p)
		w.chronicle.restarted[p.Name] = true
	}
	for lost := true; lost; {
		lost = w.ask(func(rt *actors.Runtime) {
			made, err := rt.RestartAsNew(context.Background(), record.ID, uint32(from-1))
			var status *actors.StatusError
			switch {
			case errors.As(err, &status), errors.Is(err, actors.ErrUnknownInvocation), errors.Is(err, actors.ErrJournalGone),
				errors.Is(err, actors.ErrNotRestartable), errors.Is(err, actors.ErrInvalid):
			case w.judgeError("restart", err) && !w.onDisk(made.String()) && w.plan.Retention > 0:
				w.loop.fail(InvariantAcked, "the restart of %s as %s is acknowledged and not durable", record.ID, made)
			}
		})
		w.loop.world.sleep(time.Millisecond)
	}
}

// operation does something to an invocation until that is acknowledged.
func (w *world) operation(op machine.Operation, id string) {
	parsed, err := ident.ParseInvocationID(id)
	if err != nil {
		w.loop.fail(InvariantAcked, "the id %q: %v", id, err)
		return
	}
	w.insist(op.String(), func(rt *actors.Runtime) error {
		before, _ := w.record(id)
		disputed := w.pausing || w.pauses() > 1
		callees := w.callees(before)
		_, err := rt.Operate(context.Background(), op, parsed)
		if after, _ := w.record(id); err == nil && before != nil && after != nil && before.Birth == after.Birth {
			w.judgeOperation(op, before, after)
			if op == machine.OpResume && after.PauseRequested && !disputed {
				w.loop.fail(InvariantAcked, "the resume of %s is acknowledged, and by what is durable it is to pause", id)
			}
		}
		if err == nil && op == machine.OpKill {
			w.judgeCallees(before, callees)
		}
		return err
	})
}

// pauseOne pauses some invocation, and resumes it later; many times stand for a long
// pause.
func (w *world) pauseOne(times int) {
	id := w.pick(false)
	if id == "" {
		return
	}
	w.paused[id], w.pausing = true, true
	w.operation(machine.OpPause, id)
	w.pausing = false
	if times > 2 {
		w.loop.world.sleep(w.loop.between(0, time.Second))
	}
	w.loop.world.sleep(w.loop.between(0, 50*time.Millisecond))
	for range 20 {
		w.operation(machine.OpResume, id)
		w.loop.world.sleep(w.loop.between(0, 50*time.Millisecond))
		if record, _ := w.record(id); record == nil || record.Status != machine.StatusPaused && !record.PauseRequested {
			return
		}
	}
}
