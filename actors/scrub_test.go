package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestAMissingRowOfAnUnfinishedInvocationIsFound is rule R31: nothing but the
// scrub would ever miss these rows, and the invocation would wait for ever.
func TestAMissingRowOfAnUnfinishedInvocationIsFound(t *testing.T) {
	t.Parallel()
	sleeper := restate.NewObject("Sleeper").Handler("sleep", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
		return restate.Void{}, restate.Sleep(ctx, 10*time.Hour)
	}))
	for name, row := range map[string]func(b *bench, r *machine.InvocationRow) (machine.Key, string){
		"the timer of a sleep": func(b *bench, r *machine.InvocationRow) (machine.Key, string) {
			var due int64
			pending := machine.PendingRow{Partition: r.ID.Partition(), Birth: r.Birth, Completion: 1}
			if err := b.store.Read(func(reader persistence.Reader) error {
				row, err := reader.Get(pending.Key())
				if row != nil {
					due = row.(*machine.PendingRow).Due
				}
				return err
			}); err != nil || due == 0 {
				b.t.Fatalf("the sleep is due at %d, %v", due, err)
			}
			return (&machine.TimerRow{Partition: pending.Partition, Due: due, Birth: r.Birth, Slot: 1}).Key(), "the timer of its sleep 1"
		},
		"what it waits for": func(_ *bench, r *machine.InvocationRow) (machine.Key, string) {
			return (&machine.PendingRow{Partition: r.ID.Partition(), Birth: r.Birth, Completion: 1}).Key(), "rows of what it waits for"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{Services: []restate.ServiceDefinition{sleeper}, InactivityTimeout: -1}, func(t *testing.T, b *bench) {
				id := send(b, ask("Sleeper", "x", "sleep", nil))
				healthy := send(b, ask("Sleeper", "y", "sleep", nil))
				advance(2 * time.Minute)
				synctest.Wait()
				if n := b.rt.Stats().Quarantined; n != 0 {
					t.Fatalf("%d keys are quarantined while nothing is missing", n)
				}
				key, what := row(b, b.record(id))
				b.damage(key)
				advance(2 * time.Minute)
				synctest.Wait()
				var quarantined *QuarantinedError
				patience, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if _, err := b.rt.Attach(patience, id); !errors.As(err, &quarantined) || !strings.Contains(err.Error(), what) {
					t.Errorf("attach gives %v, want a quarantine that names %q", err, what)
				}
				if got := b.status(healthy); got != "suspended" {
					t.Errorf("another key is %s", got)
				}
			})
		})
	}
}

func (b *bench) record(id ident.InvocationID) *machine.InvocationRow {
	b.t.Helper()
	in, err := b.rt.Inspect(b.t.Context(), id, InspectOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return &in.Invocation
}
