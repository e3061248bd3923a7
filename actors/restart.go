package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// RestartAsNew makes a new invocation of the handler of a completed one, with the
// same input, and returns its id once it is durable. With from above 0 it also
// begins with the entries of the old journal up to the one with that index, which
// are answered from the journal as in a second attempt.
//
// Its errors are *StatusError, ErrNotRestartable, ErrJournalGone, ErrInvalid for
// entries that cannot be copied, ErrUnknownService and ErrUnknownHandler when this
// build does not bind the handler, and those of Send. It may be called
// concurrently.
func (rt *Runtime) RestartAsNew(ctx context.Context, id ident.InvocationID, from uint32) (ident.InvocationID, error) {
	ev, err := rt.restart(id, from)
	if err != nil {
		return ident.InvocationID{}, fmt.Errorf("restart %s as a new invocation: %w", id, err)
	}
	size := 0
	for i := range ev.Entries {
		size += len(ev.Entries[i].Body)
	}
	permit, err := rt.admission.acquire(size)
	if err != nil {
		return ident.InvocationID{}, fmt.Errorf("restart %s as a new invocation: %w", id, err)
	}
	made := ev.Invoke.ID
	key := ident.ObjectKeyOf(ev.Invoke.Target, made)
	env := &envelope{event: ev, permit: permit, origin: rt.route(&ev.Invoke, key)}
	if _, err := rt.ask(ctx, key, made, env, func(t machine.Token) { ev.Invoke.Token = t }); err != nil {
		return ident.InvocationID{}, err
	}
	return made, nil
}

// restart reads a completed invocation and makes the event. What is completed
// stays so, and the key of the new one may be another: so it is read here and not
// asked of its key.
func (rt *Runtime) restart(id ident.InvocationID, from uint32) (*machine.Restart, error) {
	var in *Inspection
	err := rt.options.Store.Read(func(r persistence.Reader) (err error) {
		in, err = inspect(r, id, InspectOptions{Journal: true, Limit: min(from, machine.MaxRestartEntries) + 1})
		return err
	})
	switch {
	case errors.Is(err, persistence.ErrClosed):
		return nil, fmt.Errorf("%w: %w", ErrStopped, err)
	case err != nil:
		return nil, err
	}
	old := &in.Invocation
	switch {
	case old.Status != machine.StatusCompleted:
		queued := old.Status == machine.StatusScheduled || old.Status == machine.StatusPending
		a := machine.Answer{Status: old.Status, Kind: machine.AnswerConflict}
		if queued {
			a.Kind = machine.AnswerTooEarly
		}
		return nil, rt.statusError(machine.OpRestartAsNew, id, a)
	case old.ExpiresAt <= rt.clock.nowMs():
		return nil, ErrUnknownInvocation // its rows are removed soon
	case old.Target.Kind == ident.KindWorkflow:
		return nil, ErrNotRestartable
	case !old.HasJournal() || len(in.Journal) == 0: // rows may be left that a sweep has not reached
		return nil, ErrJournalGone
	}
	if err := checkPrefix(in, from); err != nil {
		return nil, err
	}
	b, err := rt.boundAs(old.Target)
	if err != nil {
		return nil, err
	}
	made := rt.newID(old.Target, "")
	ev := &machine.Restart{Of: id, Entries: in.Journal, Invoke: machine.Invoke{
		ID: made, Alias: rt.alias(b, made), Target: old.Target, AnswerAccepted: true, InvokedBy: machine.ByRestart,
		RandomSeed: rt.random.seed(), Retention: b.retention(""),
	}}
	if from > 0 {
		// What was drawn may stand in the entries, and has to be drawn again.
		ev.Invoke.RandomSeed = old.RandomSeed
	}
	return ev, nil
}

// checkPrefix reports whether the part of a journal that was read can be copied.
func checkPrefix(in *Inspection, from uint32) error {
	if from >= in.Invocation.JournalLength {
		return fmt.Errorf("%w: from is %d, and the last entry of the journal has the index %d", ErrInvalid, from, in.Invocation.JournalLength-1)
	}
	err := machine.CheckRestart(in.Journal, in.Invocation.Target.Kind)
	if err == nil && len(in.Journal) <= int(from) {
		err = &machine.RestartError{Index: len(in.Journal), Reason: "is too far: what is before it is all that can be copied at once"}
	}
	if err != nil {
		return fmt.Errorf("%w: the journal cannot be copied up to entry %d: %w", ErrInvalid, from, err)
	}
	return nil
}

// boundAs returns the handler of a target, if this build binds it and runs it in
// the same way.
func (rt *Runtime) boundAs(t ident.Target) (*binding, error) {
	service := rt.bindings[t.Service]
	if service == nil {
		return nil, fmt.Errorf("%w: %q is not bound in this build: bind it, and restart the invocation then", ErrUnknownService, t.Service)
	}
	b := service.handlers[t.Handler]
	switch {
	case b == nil:
		return nil, fmt.Errorf("%w: service %q has no handler %q in this build: bind it, and restart the invocation then", ErrUnknownHandler, t.Service, t.Handler)
	case b.kind != t.Kind:
		return nil, fmt.Errorf("%w: %s/%s was a handler of kind %s and is one of kind %s in this build: send a new request instead", ErrUnknownHandler, t.Service, t.Handler, t.Kind, b.kind)
	}
	return b, nil
}

// statusError says that the status of an invocation does not allow an operation,
// with the word that introspection has for it.
func (rt *Runtime) statusError(op machine.Operation, id ident.InvocationID, a machine.Answer) *StatusError {
	e := &StatusError{Op: op, ID: id, Status: a.Status, TooEarly: a.Kind == machine.AnswerTooEarly}
	if e.Status == machine.StatusReady {
		in, err := rt.Inspect(context.Background(), id, InspectOptions{})
		e.Running = err == nil && in.Running
	}
	return e
}
