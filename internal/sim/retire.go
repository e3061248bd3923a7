package sim

import (
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// retire waits until every retention is over, and judges that nothing is left but
// the state.
func (w *world) retire() {
	for range 50 {
		w.loop.world.sleep(time.Hour)
	}
	w.look(func(r persistence.Reader) error {
		for _, table := range passing() {
			err := eachRow(r, table, func(row machine.Row) {
				w.loop.fail(InvariantOwner, "a row is left when everything is over: %T %+v", row, row)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// passing returns the tables whose rows all go some day; state stays.
func passing() []machine.Table {
	return []machine.Table{
		machine.TableInbox, machine.TableID, machine.TableInvocation, machine.TableJournal, machine.TableSignal,
		machine.TablePending, machine.TableWaiter, machine.TableTimer, machine.TableOutbox, machine.TableActive,
		machine.TableStatus, machine.TableExpiry, machine.TableMarker, machine.TablePromise, machine.TableListener,
		machine.TableChore, machine.TablePatch, machine.TableAlias,
	}
}
