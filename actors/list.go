package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// moment is what a question about rows is asked with.
func (rt *Runtime) moment() query.Moment {
	return query.Moment{
		Now: rt.clock.nowMs(), Clock: rt.clock.lapse, Live: liveAttempts{rt.attempts},
		Plain: rt.bindings.plain,
	}
}

// question reads one snapshot for a question. A store that is closed has stopped with the
// runtime.
func (rt *Runtime) question(what string, fn func(persistence.Reader) error) error {
	err := rt.options.Store.Read(fn)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, persistence.ErrClosed):
		return fmt.Errorf("%s: %w: %w", what, ErrStopped, err)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}

// Invocations returns a page of the invocations that fit a filter, from one
// snapshot of what is durable, with what runs in this process laid over it. It
// examines at most query.MaxSteps rows and then answers with what it has. Its
// error wraps query.ErrLimit, query.ErrCursor or query.ErrForeignCursor for a bad
// question, ErrStopped when the store is closed, and else that of the store.
func (rt *Runtime) Invocations(_ context.Context, f query.InvocationFilter) (page query.Page[query.Invocation], err error) {
	err = rt.question("list invocations", func(r persistence.Reader) (err error) {
		page, err = query.Invocations(r, rt.moment(), &f)
		return err
	})
	return page, err
}

// Keys lists the keys of an object or of a workflow, from one snapshot of what is
// durable. Its errors are ErrUnknownService for a service that is not bound and has
// no keys, those of the cursor, and those of the store.
func (rt *Runtime) Keys(_ context.Context, f query.KeyFilter, p query.Paging) (page query.Page[query.KeyItem], err error) {
	if err := rt.keyed(f.Service); err != nil {
		return page, err
	}
	err = rt.question("list keys of "+f.Service, func(r persistence.Reader) (err error) {
		page, err = query.Keys(r, rt.moment(), f, p)
		if err != nil || len(page.Items) > 0 || page.Next != "" || rt.bindings[f.Service] != nil {
			return err
		}
		all, err := query.Keys(r, rt.moment(), query.KeyFilter{Service: f.Service}, query.Paging{Limit: 1})
		if err == nil && len(all.Items) == 0 && all.Next == "" {
			err = fmt.Errorf("%w: '%s'", ErrUnknownService, f.Service)
		}
		return err
	})
	return page, err
}

// Key reads one key. A key that nobody uses is idle and empty. Its errors are those
// of Keys.
func (rt *Runtime) Key(_ context.Context, key ident.ObjectKey, o query.KeyOptions) (k *query.Key, err error) {
	if err := rt.keyed(key.Service); err != nil {
		return nil, err
	}
	err = rt.question("read key "+key.String(), func(r persistence.Reader) (err error) {
		k, err = query.ReadKey(r, rt.moment(), key, o)
		if err == nil && !k.Exists && rt.bindings[key.Service] == nil {
			err = fmt.Errorf("%w: '%s'", ErrUnknownService, key.Service)
		}
		return err
	})
	return k, err
}

// keyed refuses a service without keys.
func (rt *Runtime) keyed(service string) error {
	if rt.bindings.plain(service) {
		return fmt.Errorf("%w: '%s' is a service without keys: its invocations are listed by service", ErrInvalid, service)
	}
	return nil
}

// Awakeables lists awakeables that are not done. What handlers in memory wait for
// is laid over the snapshot. Its errors are those of the cursor and of the store.
func (rt *Runtime) Awakeables(_ context.Context, f query.AwakeableFilter, p query.Paging) (page query.Page[query.AwakeableItem], err error) {
	err = rt.question("list awakeables", func(r persistence.Reader) (err error) {
		page, err = query.Awakeables(r, rt.moment(), f, p)
		return err
	})
	return page, err
}

// Promises lists promises of workflows; without services in f those of every
// workflow that is bound. Its errors are those of the cursor and of the store.
func (rt *Runtime) Promises(_ context.Context, f query.PromiseFilter, p query.Paging) (page query.Page[query.PromiseItem], err error) {
	if len(f.Services) == 0 {
		for _, def := range rt.bindings.definitions() {
			if def.Type() == objects.ServiceTypeWorkflow {
				f.Services = append(f.Services, def.Name())
			}
		}
	}
	err = rt.question("list promises", func(r persistence.Reader) (err error) {
		page, err = query.Promises(r, rt.moment(), f, p)
		return err
	})
	return page, err
}
