package persistence

import (
	"bytes"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// Order is a direction in which rows are walked.
type Order uint8

// Orders.
const (
	// Ascending goes from the lowest key to the highest one.
	Ascending Order = iota
	// Descending goes from the highest key to the lowest one.
	Descending
)

// String returns the word used in errors.
func (o Order) String() string {
	if o == Descending {
		return "descending"
	}
	return "ascending"
}

// Iterator walks rows of one snapshot, one step at a time. A new one stands
// before its first row:
//
//	rows := r.Rows(from, to, persistence.Ascending)
//	defer rows.Close()
//	for rows.Next() { … }
//	return rows.Err()
//
// A step costs about the same wherever it is made. To keep that promise, a row
// that was removed and has not left the engine yet is a step as well, at which
// Row returns nil: whoever stops after n steps has done a bounded amount of
// work, also where a million rows were removed a moment ago.
//
// An Iterator belongs to the goroutine of its Reader; there may be many of one
// Reader. It ends with the Read at the latest.
type Iterator interface {
	// Next moves one step and reports whether there is a row to look at, which
	// may be a removed one. It is false at the end of the range and after an
	// error.
	Next() bool
	// Key returns the key at the present step. It is cheap: nothing of the row
	// is read.
	Key() machine.Key
	// Row reads the row of the present step: nil when it was removed. The row
	// belongs to the caller. Its error is that of the row alone, and the walk
	// may go on, unless Err has one as well.
	Row() (machine.Row, error)
	// Err returns what ended the walk early, nil at the end of the range.
	Err() error
	// Close lets go of what the walk holds. It may be called twice.
	Close()
}

// walk moves over the keys of an engine. It stands before its first one.
type walk interface {
	// next moves one key and reports whether there is one; false after an error.
	next() (bool, error)
	// key returns the present key, which is valid until next.
	key() []byte
	// value returns the value under it, nil when it was removed. It belongs to
	// the caller.
	value() ([]byte, error)
	close()
}

// rows turns a walk into an Iterator.
type rows struct {
	walk walk
	get  func(key []byte) ([]byte, error)
	key  machine.Key
	// onRow says that the walk stands at a key.
	onRow bool
	err   error
}

// Rows implements Reader.
func (r *reader) Rows(from, to machine.Key, order Order) Iterator {
	first, last, err := bounds(&from, &to)
	switch {
	case err != nil:
		return &rows{err: fmt.Errorf("walk rows: %w", err)}
	case order > Descending:
		return &rows{err: fmt.Errorf("walk rows: there is no order %d", order)}
	case bytes.Compare(first, last) >= 0:
		return &rows{}
	}
	it := &rows{walk: r.view.walk(first, last, order), get: r.view.get}
	r.open = append(r.open, it)
	return it
}

// close ends the walks that nobody has closed.
func (r *reader) close() {
	for _, it := range r.open {
		it.Close()
	}
	r.open = nil
}

// usualKeyBytes is as long as most keys are at most.
const usualKeyBytes = 48

// bounds returns the bytes of a range. A zero to is the end of the table of
// from.
func bounds(from, to *machine.Key) (first, last []byte, err error) {
	if first, err = appendKey(make([]byte, 0, usualKeyBytes), from); err != nil {
		return nil, nil, err
	}
	if *to == (machine.Key{}) {
		return first, appendKeyHeader(nil, from.Partition, from.Table+1), nil
	}
	if last, err = appendKey(make([]byte, 0, usualKeyBytes), to); err != nil {
		return nil, nil, err
	}
	if to.Partition != from.Partition || to.Table != from.Table {
		return nil, nil, fmt.Errorf("from %s to %s: %w: not of one partition and table", keyText(first), keyText(last), errTable)
	}
	return first, last, nil
}

// Next implements Iterator.
func (i *rows) Next() bool {
	i.onRow = false
	if i.walk == nil || i.err != nil {
		return false
	}
	more, err := i.walk.next()
	if err == nil && more {
		i.key, err = parseKey(i.walk.key())
	}
	if err != nil {
		i.err = fmt.Errorf("walk rows: %w", err)
		return false
	}
	if i.onRow = more; !more {
		i.Close()
	}
	return more
}

// Key implements Iterator.
func (i *rows) Key() machine.Key { return i.key }

// Row implements Iterator.
func (i *rows) Row() (machine.Row, error) {
	if !i.onRow {
		return nil, fmt.Errorf("read the row of a walk: it stands at none: call Next before, and go on only when it is true")
	}
	value, err := i.walk.value()
	if err != nil {
		i.err = fmt.Errorf("read row %s: %w", keyText(i.walk.key()), err)
		return nil, i.err
	}
	if value == nil {
		return nil, nil
	}
	return decodeRow(&i.key, i.walk.key(), value, i.get)
}

// Err implements Iterator.
func (i *rows) Err() error { return i.err }

// Close implements Iterator.
func (i *rows) Close() {
	if i.walk != nil {
		i.walk.close()
	}
	i.walk, i.onRow = nil, false
}
