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
		logs[object.Key] = w.state(ident.KeyPartitionKey(object.Key).Partition(), object)[logName]
	}
	type entry struct{ key, name string }
	added := make(map[entry]int)
	for _, s := range w.chronicle.subjects {
		if s.exclusive && !strings.Contains(s.key, "/") && !w.chronicle.disturbed[s.name] {
			added[entry{s.key, s.name}] += s.appends
		}
	}
	for e, n := range added {
		if m := count(logs[e.key], e.name); m != n {
			w.loop.fail(InvariantPrefix, "%s has added its name to the log of %s %d times, and it is there %d times: %s", e.name, e.key, n, m, logs[e.key])
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
