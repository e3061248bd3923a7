package actors

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// alias draws what stands for an invocation in its awakeable ids, when its
// handler wants that. It has the partition of the id.
func (rt *Runtime) alias(b *binding, id ident.InvocationID) ident.InvocationID {
	if !b.settings.UnguessableAwakeables {
		return ident.InvocationID{}
	}
	_, uuid := rt.random.id()
	alias := id
	copy(alias[len(alias)-len(uuid):], uuid[:])
	return alias
}

// route enters the ids of an invocation that is on its way into the route
// table. What it returns takes them out again.
func (rt *Runtime) route(ev *machine.Invoke, key ident.ObjectKey) origin {
	rt.routes.enter(ev.ID, key)
	if !ev.Alias.IsZero() {
		rt.routes.enter(ev.Alias, key)
	}
	return origin{routed: ev.ID, alias: ev.Alias}
}

// findFor is find for one event: only an awakeable is addressed by an alias.
func (rt *Runtime) findFor(ev any, id ident.InvocationID) (key ident.ObjectKey, known bool, err error) {
	key, known, err = rt.find(id)
	signal, ok := ev.(*machine.Signal)
	if known || err != nil || !ok || signal.Signal.Signal < ident.FirstAwakeable {
		return key, known, err
	}
	err = rt.options.Store.Read(func(r persistence.Reader) error {
		row, err := r.Get((&machine.AliasRow{Alias: id}).Key())
		if err != nil || row == nil {
			return err
		}
		key, known = row.(*machine.AliasRow).Object, true
		return nil
	})
	if err != nil {
		return ident.ObjectKey{}, false, fmt.Errorf("look up awakeables of %s: %w", id, err)
	}
	return key, known, nil
}
