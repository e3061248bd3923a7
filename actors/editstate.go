package actors

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// StatePatch asks for another state of one key of an object or a workflow.
type StatePatch struct {
	Service, Key string
	// Version, unless it is empty, is that of the state which may be replaced, as
	// introspection shows it.
	Version string
	// State is the whole new state. Empty clears it.
	State map[string][]byte
}

// EditState replaces the state of a key. While a handler holds the key the patch
// waits in its queue, and it does nothing when it asks for a version that the state
// has not when its turn comes. EditState returns when the patch is durable: applied,
// or, if something was in its way, queued. Its errors are ErrUnknownService,
// ErrInvalid, ErrTooLarge, and those of Send. It may be called concurrently.
func (rt *Runtime) EditState(ctx context.Context, p StatePatch) error {
	key := ident.ObjectKey{Service: p.Service, Key: p.Key}
	ev, size, err := rt.edit(p)
	if err != nil {
		return fmt.Errorf("edit the state of %s: %w", key, err)
	}
	permit, err := rt.admission.acquire(size)
	if err != nil {
		return fmt.Errorf("edit the state of %s: %w", key, err)
	}
	place := ident.NewInvocationID(ident.KeyPartitionKey(p.Key), [16]byte{}) // names the partition
	_, err = rt.ask(ctx, key, place, &envelope{event: ev, permit: permit}, func(t machine.Token) { ev.Token = t })
	var unknown *OutcomeUnknownError
	if errors.As(err, &unknown) {
		return &OutcomeUnknownError{}
	}
	return err
}

// edit checks a patch and makes the event that it stands for.
func (rt *Runtime) edit(p StatePatch) (ev *machine.EditState, size int, err error) {
	if size, err = rt.checkPatch(p); err != nil {
		return nil, 0, err
	}
	ev = &machine.EditState{Version: p.Version}
	if err := rt.owner(p, ev); err != nil {
		return nil, 0, err
	}
	for _, name := range slices.Sorted(maps.Keys(p.State)) {
		// A copy: it is encoded again whenever the state is.
		value := append([]byte{}, p.State[name]...)
		ev.Values = append(ev.Values, machine.StateValue{Name: name, Value: value})
	}
	return ev, size, nil
}

// owner says whose state is edited. A service that is not bound may have left
// state behind.
func (rt *Runtime) owner(p StatePatch, ev *machine.EditState) error {
	service := rt.bindings[p.Service]
	if service == nil {
		left, err := rt.hasState(ident.ObjectKey{Service: p.Service, Key: p.Key})
		if err == nil && !left {
			err = fmt.Errorf("%w: no service is called %q, and it has left no state at this key", ErrUnknownService, p.Service)
		}
		return err
	}
	if service.definition.Type() == objects.ServiceTypeService {
		return fmt.Errorf("%w: service %q has no keys, and so no state", ErrInvalid, p.Service)
	}
	ev.OfObject = true
	for _, b := range service.handlers {
		if b.workflow != nil {
			ev.OfObject = false
			ev.Retention = machine.Retention{OfWorkflow: true, Workflow: b.workflow.Milliseconds()}
		}
	}
	return nil
}

// hasState reports whether the state of a key has a value on disk.
func (rt *Runtime) hasState(key ident.ObjectKey) (has bool, err error) {
	k := machine.HeadKey(ident.KeyPartitionKey(key.Key).Partition(), key)
	err = rt.options.Store.Read(func(r persistence.Reader) error {
		row, err := r.Get(k)
		head, ok := row.(*machine.HeadRow)
		has = ok && (head.StateRows > 0 || len(head.Inline) > 0)
		return err
	})
	if errors.Is(err, persistence.ErrClosed) {
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return has, err
}

// checkPatch checks what can be told from a patch alone, and returns its size.
func (rt *Runtime) checkPatch(p StatePatch) (size int, err error) {
	if len(p.Key) > maxKeyBytes || !utf8.ValidString(p.Key) {
		return 0, fmt.Errorf("%w: the key has more than %d bytes or is not UTF-8", ErrInvalid, maxKeyBytes)
	}
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(p.Version); err != nil || len(sum) != 32 && p.Version != "" {
		return 0, fmt.Errorf("%w: %q is not the version of a state, which has 43 characters", ErrInvalid, p.Version)
	}
	for name, value := range p.State {
		if len(name) > maxNameBytes || !utf8.ValidString(name) {
			return 0, fmt.Errorf("%w: the name of a value has more than %d bytes or is not UTF-8", ErrInvalid, maxNameBytes)
		}
		size += len(name) + len(value)
	}
	if size > rt.options.MaxPayload {
		return 0, fmt.Errorf("%w: the state has %d bytes, at most %d are allowed", ErrTooLarge, size, rt.options.MaxPayload)
	}
	return size, nil
}
