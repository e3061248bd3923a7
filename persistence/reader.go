package persistence

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// view is one moment of an engine.
type view interface {
	// get returns the value under key, nil when there is none. It belongs to
	// the caller.
	get(key []byte) ([]byte, error)
	// scan calls fn for at most limit rows of [from, to). key and value are
	// valid during the call.
	scan(from, to []byte, limit int, fn func(key, value []byte) error) error
	// first returns the first key of [from, to), nil when there is none. It is
	// valid until the next call of the view.
	first(from, to []byte) ([]byte, error)
	// walk goes over [from, to), which are of one partition and table.
	walk(from, to []byte, order Order) walk
}

// reader turns a view into a Reader. It is used by one goroutine.
type reader struct {
	view view
	key  []byte
	// open are the walks of this reader.
	open []*rows
	// tables are those that have rows, nil before somebody has asked, and chunky the
	// partitions that have chunks or intents.
	tables []machine.Key
	chunky []ident.Partition
}

// Get implements Reader.
func (r *reader) Get(k machine.Key) (machine.Row, error) {
	key, err := appendKey(r.key[:0], &k)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	r.key = key
	value, err := r.view.get(key)
	if err != nil {
		return nil, fmt.Errorf("get row %s: %w", keyText(key), err)
	}
	if value == nil {
		return nil, nil
	}
	return decodeRow(&k, key, value, r.view.get)
}

// Scan implements Reader. A zero to is the end of the table of from.
func (r *reader) Scan(from, to machine.Key, limit int) ([]machine.Row, error) {
	first, last, err := bounds(&from, &to)
	if err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	if limit <= 0 || bytes.Compare(first, last) >= 0 {
		return nil, nil
	}
	var rows []machine.Row
	err = r.view.scan(first, last, limit, func(key, value []byte) error {
		k, err := parseKey(key)
		if err != nil {
			return err
		}
		row, err := decodeRow(&k, key, slices.Clone(value), r.view.get)
		rows = append(rows, row)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("scan from %s: %w", keyText(first), err)
	}
	return rows, nil
}

// decodeRow reads the row under k, whose bytes are key and value. The row keeps
// slices of value. get reads chunks.
func decodeRow(k *machine.Key, key, value []byte, get func(key []byte) ([]byte, error)) (machine.Row, error) {
	flags, body, err := unseal(key, value)
	if err != nil {
		return nil, err
	}
	d := decoder{b: body}
	if flags&flagChunks != 0 {
		s, rest, ok := readList(k, body)
		if !ok {
			return nil, damaged(key, "its list of blobs is malformed")
		}
		if d.blobs, err = s.fetch(get); err != nil {
			return nil, fmt.Errorf("row %s: %w", keyText(key), err)
		}
		d.b = rest
	}
	row := d.row(k)
	switch {
	case d.bad || len(d.blobs) != 0:
		return nil, damaged(key, "its fields are malformed")
	case !checkNames(k, row):
		return nil, damaged(key, "the names in it belong to another key")
	}
	return row, nil
}
