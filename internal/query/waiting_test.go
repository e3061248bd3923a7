package query

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestAnInvocationThatHasLeftOtherPlacesIsOneStep gives each invocation a row in
// one place and what is left of removed rows in all others: it is one step, and it
// is there, wherever its row stands among the others.
func TestAnInvocationThatHasLeftOtherPlacesIsOneStep(t *testing.T) {
	t.Parallel()
	disk, err := persistence.Open(t.TempDir(), persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	const p = ident.Partition(3)
	places := func(birth ident.Seq) []machine.Row {
		id := ident.InvocationID{0: byte(birth)}
		rows := []machine.Row{&machine.ActiveRow{Partition: p, Birth: birth, ID: id, Object: ident.ObjectKey{Service: "S", Key: "k"}}}
		for _, class := range awakeableClasses() {
			rows = append(rows, &machine.StatusRow{Partition: p, Class: class, Birth: birth})
		}
		return rows
	}
	count := len(places(1))
	var puts, deletes []machine.Write
	for birth := range ident.Seq(count + 1) { // the last one has no row left
		for place, row := range places(birth + 1) {
			puts = append(puts, put(row))
			if place != int(birth) {
				deletes = append(deletes, machine.Write{Delete: row.Key()})
			}
		}
	}
	commit(t, disk, puts...)
	commit(t, disk, deletes...)

	var steps []waitingStep
	err = disk.Read(func(r persistence.Reader) error {
		walk := openWaiting(r, newCount(), p, 0, awakeableClasses())
		defer walk.close()
		for {
			step, more, err := walk.next()
			if err != nil || !more {
				return err
			}
			steps = append(steps, step)
		}
	})
	if err != nil || len(steps) != count+1 {
		t.Fatalf("%d steps over %d invocations: %v, %v", len(steps), count+1, steps, err)
	}
	for i, step := range steps {
		if step.birth != ident.Seq(i+1) || step.present != (i < count) {
			t.Errorf("step %d is %+v", i, step)
		}
	}
}
