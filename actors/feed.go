package actors

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// arrival is one notification on its way to a handler.
type arrival struct {
	index uint32
	// seq numbers the output that appended the notification.
	seq   ident.Seq
	entry journal.Entry
	// ready is false while the notification waits for the disk.
	ready bool
}

// signal reports whether a is a signal that has arrived.
func (a *arrival) signal() bool { return a.ready && a.entry.Type == journal.TypeSignal }

// feed holds the notifications that an attempt has not taken, by entry index.
//
// A handler must learn results in the order of the journal, or a replay would
// tell another story. Most notifications are handed over at once, but the result
// of a Run waits for the disk, so a later one may be there first. The actor
// therefore announces what it knows to come, in the order of the journal, and a
// notification is taken only when nothing is missing before it.
//
// Invariant: indexes grow strictly.
type feed struct {
	arrivals []arrival
	// signals counts those among the arrivals.
	signals uint32
}

// announce says that the notification with this index will arrive later.
func (f *feed) announce(index uint32) { f.insert(arrival{index: index}) }

// put hands over a notification, announced or not.
func (f *feed) put(index uint32, seq ident.Seq, e journal.Entry) {
	f.insert(arrival{index: index, seq: seq, entry: e, ready: true})
}

func (f *feed) insert(a arrival) {
	if a.signal() {
		f.signals++
	}
	at := len(f.arrivals)
	for at > 0 && f.arrivals[at-1].index >= a.index {
		at--
	}
	if at < len(f.arrivals) && f.arrivals[at].index == a.index {
		if f.arrivals[at].signal() {
			f.signals--
		}
		f.arrivals[at] = a
		return
	}
	f.arrivals = slices.Insert(f.arrivals, at, a)
}

// ready reports whether take would return something.
func (f *feed) ready() bool { return len(f.arrivals) > 0 && f.arrivals[0].ready }

// take removes and returns what has arrived without a gap.
func (f *feed) take() []arrival {
	n := 0
	for n < len(f.arrivals) && f.arrivals[n].ready {
		n++
	}
	for i := range n {
		if f.arrivals[i].signal() {
			f.signals--
		}
	}
	if n == len(f.arrivals) {
		taken := f.arrivals
		f.arrivals = nil
		return taken
	}
	taken := slices.Clone(f.arrivals[:n])
	f.arrivals = slices.Delete(f.arrivals, 0, n)
	return taken
}
