package sim

import (
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// retire waits until every retention is over, and judges that nothing is left but
// the state.
//
// Most of that time no process is there: one would look every minute for what has
// expired, which takes longer than all that went before.
func (w *world) retire() {
	for range 6 {
		w.process.kill()
		w.runtime = nil
		w.loop.world.sleep(25 * time.Hour)
		w.begin()
		for minutes := 0; minutes < 10; minutes++ { // a single sleep may end early, on a busy machine
			w.loop.world.sleep(time.Minute)
			if w.runtime == nil {
				minutes = 0
			}
		}
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
