package sim

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// patching is one request to replace the state of a key.
type patching struct {
	value string
	// asked and acked are steps; acked is 0 before.
	asked, acked uint64
	// version says that it is for one version of the state, and so may do nothing.
	version bool
}

// patch replaces the state of a key, until that is acknowledged: one time, the version
// that is there; three times, with more than one output holds, and again soon after.
func (w *world) patch(key, name string, times int) {
	if times == 3 {
		defer func() {
			w.loop.world.sleep(w.loop.between(0, 10*time.Millisecond))
			w.patch(key, name+" again", 2)
		}()
	}
	k := w.chronicle.key(key)
	k.patched, k.edited = true, true
	k.editing++
	defer func() { k.editing-- }()
	n := &patching{value: "patched " + name, asked: w.loop.steps, version: times == 1}
	k.patchings = append(k.patchings, n)
	value, _ := json.Marshal(n.value)
	p := actors.StatePatch{Service: serviceObject, Key: key, State: map[string][]byte{"v0": value}}
	if times == 3 {
		p.State[bigName], _ = json.Marshal(strings.Repeat(name[len(name)-1:], bigBytes))
	}
	if object := (ident.ObjectKey{Service: serviceObject, Key: key}); n.version {
		w.look(func(r persistence.Reader) error {
			values, err := valuesOf(r, ident.KeyPartitionKey(key).Partition(), object)
			p.Version = machine.StateVersion(values)
			return err
		})
		w.disk.versions[stateValue{object.ID(), "v0", n.value}] = p.Version
	}
	w.insist("patch", func(rt *actors.Runtime) error { return rt.EditState(context.Background(), p) })
	n.acked = w.loop.steps
}

// valuesOf returns the state of a key, sorted by name.
func valuesOf(r persistence.Reader, p ident.Partition, object ident.ObjectKey) ([]machine.StateValue, error) {
	row, err := r.Get(machine.HeadKey(p, object))
	head, found := row.(*machine.HeadRow)
	if err != nil || !found {
		return nil, err
	}
	values := slices.Clone(head.Inline)
	from := machine.Key{Partition: p, Table: machine.TableState, Object: object.ID(), A: uint64(head.Generation)}
	to := from
	to.A++
	rows, err := r.Scan(from, to, 1<<20)
	for _, row := range rows {
		s := row.(*machine.StateRow)
		values = append(values, machine.StateValue{Name: s.Name, Value: s.Value})
	}
	slices.SortFunc(values, func(a, b machine.StateValue) int { return strings.Compare(a.Name, b.Name) })
	return values, err
}

// judgeVersion judges an output that is about to be committed: a patch that asks for a
// version replaces that one.
func (d *disk) judgeVersion(o *output) {
	for i := range o.heads {
		head := o.heads[i]
		for _, v := range head.Inline {
			value := stateValue{head.Object.ID(), v.Name, unquote(v.Value)}
			version, asked := d.versions[value]
			if !asked || d.values[value] {
				continue
			}
			err := d.reference.Read(func(r persistence.Reader) error {
				values, err := valuesOf(r, head.Partition, head.Object)
				if have := machine.StateVersion(values); have != version {
					d.loop.fail(InvariantAcked, "%q replaces version %s of the state of %v, and is for version %s", value.value, have, head.Object, version)
				}
				return err
			})
			if err != nil {
				d.loop.fail(InvariantPrefix, "the state of %v cannot be read: %v", head.Object, err)
			}
		}
	}
}

// adopts judges a value that a key has for the first time, on disk: a patch that was
// acknowledged before another one was asked for is applied before that one.
func (w *world) adopts(object ident.ObjectKey, v machine.StateValue) {
	k := w.chronicle.keys[object.Key]
	if v.Name != "v0" || k == nil {
		return
	}
	value := unquote(v.Value)
	for _, earlier := range k.patchings {
		if earlier.value != value || earlier.acked == 0 {
			continue
		}
		for _, later := range k.patchings {
			if later.asked > earlier.acked && w.disk.values[stateValue{object.ID(), v.Name, later.value}] {
				w.loop.fail(InvariantAcked, "%q is applied to %v after %q, which was asked for when it was acknowledged", value, object, later.value)
			}
		}
	}
}

// judgePatches judges what is on the disk when all is over: the last patch of a key
// counts, unless a handler has written since.
func (w *world) judgePatches(key string, state map[string]string) {
	k := w.chronicle.keys[key]
	if k == nil || len(k.patchings) == 0 {
		return
	}
	last := slices.MaxFunc(k.patchings, func(a, b *patching) int { return int(a.asked) - int(b.asked) })
	for _, other := range k.patchings {
		if other != last && other.acked >= last.asked {
			return // they went side by side
		}
	}
	if !last.version && k.wroteAt < last.asked && state["v0"] != last.value {
		w.loop.fail(InvariantAcked, "v0 of %s is %.40q in the end, and was patched last to %q", key, state["v0"], last.value)
	}
}
