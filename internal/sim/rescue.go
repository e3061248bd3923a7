package sim

import (
	"context"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// rescue gives those what they wait for who cannot be helped by the plan any more:
// whose senders may have been killed before their nudge, who were restarted with a
// journal that says they have handed out what nobody was given, whose pause came
// late, and whose build is back.
func (w *world) rescue() {
	var help []func()
	w.look(func(r persistence.Reader) error {
		return eachRow(r, machine.TableInvocation, func(row machine.Row) {
			record := row.(*machine.InvocationRow)
			switch record.Status {
			case machine.StatusPaused:
				if w.paused[record.ID.String()] || misfits(record) {
					help = append(help, func() { w.operation(machine.OpResume, record.ID.String()) })
				}
			case machine.StatusSuspended:
				if p := w.program(record); p != nil && w.chronicle.disturbed[p.Name] {
					help = append(help, func() { w.signal(record.ID, journal.NamedSignalID(nudge)) })
				}
				if !record.RestartedFrom.IsZero() {
					help = append(help, func() { w.answerAll(record.ID) })
				}
			}
		})
	})
	for _, fn := range help {
		fn()
	}
}

// answerAll answers whatever a program may wait for.
func (w *world) answerAll(id ident.InvocationID) {
	for n := range maxSteps {
		w.signal(id, journal.SignalID(ident.FirstAwakeable+uint32(n)))
		w.signal(id, journal.NamedSignalID("s"+itoa(n)))
	}
}

// late is the value of what rescue answers.
const late = "late"

// maxSteps is more than a program has.
const maxSteps = 12

func (w *world) signal(id ident.InvocationID, signal journal.NotificationID) {
	w.insist("signal", func(rt *actors.Runtime) error {
		_, err := rt.Signal(context.Background(), id, signal, journal.ValueOf([]byte(`"`+late+`"`)))
		return err
	})
}
