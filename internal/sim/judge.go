package sim

import (
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// judge judges what is left when every invocation is complete: the log of each key
// has each program as often as its handler has added it.
func (w *world) judge() {
	logs := make(map[string]string)
	for n := range maxKeys {
		object := ident.ObjectKey{Service: serviceObject, Key: keyName(n)}
		state := w.state(ident.KeyPartitionKey(object.Key).Partition(), object)
		logs[object.Key] = state[logName]
		w.judgeState(object.Key, state)
		w.judgePatches(object.Key, state)
	}
	w.judgeOrder()
	if w.plan.Retention > 0 { // else subjects are forgotten before the end
		w.judgeLogs(logs)
	}
}

// judgeLogs judges that each handler has added to the log what it says it has.
func (w *world) judgeLogs(logs map[string]string) {
	type entry struct{ key, name string }
	added := make(map[entry]int)
	for _, s := range w.chronicle.subjects {
		if s.exclusive && !strings.Contains(s.key, "/") && !w.chronicle.disturbed[s.name] {
			added[entry{s.key, s.name}] += s.appends
		}
	}
	for e, n := range added {
		if m := count(logs[e.key], e.name); m > n || m < n && !w.chronicle.key(e.key).patched && !w.chronicle.key(e.key).cleared {
			w.loop.fail(InvariantPrefix, "%s has added its name to the log of %s %d times, and it is there %d times: %s", e.name, e.key, n, m, logs[e.key])
		}
	}
}

// judgeOrder judges that sends to a key start in the order in which they were
// acknowledged, where one was before the other was asked for.
func (w *world) judgeOrder() {
	for _, k := range w.chronicle.keys {
		for _, b := range k.arrivals {
			for _, a := range k.arrivals {
				first, second := w.chronicle.subjects[a.id], w.chronicle.subjects[b.id]
				if a.acked < b.asked && first != nil && second != nil && first.started > second.started {
					w.loop.fail(InvariantOrder, "%s was accepted before %s was asked for, and starts after it", first.name, second.name)
				}
			}
		}
	}
}

// maxKeys is more than a plan has.
const maxKeys = 16

// eachRow calls fn for the rows of a table.
func eachRow(r persistence.Reader, table machine.Table, fn func(machine.Row)) error {
	for p := range ident.Partition(ident.Partitions) {
		from := machine.Key{Partition: p, Table: table}
		rows, err := r.Scan(from, machine.Key{}, 1<<20)
		if err != nil {
			return err
		}
		for _, row := range rows {
			fn(row)
		}
	}
	return nil
}
