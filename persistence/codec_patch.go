package persistence

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// patch appends the values as one payload: many small ones are as large as one
// that is large, and have to be split off as well.
func (e *encoder) patch(r *machine.PatchRow) {
	e.text(r.Version)
	e.retention(r.Retention)
	values := encoder{}
	for i := range r.Values {
		values.text(r.Values[i].Name)
		values.stateValue(r.Values[i].Value)
	}
	e.num(uint64(len(r.Values)))
	e.payload(values.buf)
}

func (d *decoder) patch(k *machine.Key) *machine.PatchRow {
	r := &machine.PatchRow{Partition: k.Partition, Seq: ident.Seq(k.A), Version: d.text(), Retention: d.retention()}
	n, values := d.num(), decoder{b: d.payload(), strict: true}
	if n > uint64(len(values.b)) {
		d.fail()
		return r
	}
	if n > 0 {
		r.Values = make([]machine.StateValue, n)
	}
	for i := range r.Values {
		r.Values[i] = machine.StateValue{Name: values.text(), Value: values.payload()}
	}
	if values.bad || len(values.b) > 0 {
		d.fail()
	}
	return r
}
