package persistence

import (
	"encoding/binary"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Overview is what the Readers of this package can do beside reading rows: tell
// what is true of a snapshot as a whole. It is for those who look at all of it.
type Overview interface {
	Reader
	// Tables returns partition and table of everything that has rows, in the order
	// of the keys. What never leaves this package is not among them, and
	// what nobody knows is.
	Tables() ([]machine.Key, error)
	// Marks returns the marks as they were at the moment of the snapshot.
	Marks() (Marks, error)
}

// Tables implements Overview.
func (r *reader) Tables() ([]machine.Key, error) {
	found := make([]machine.Key, 0, 64)
	next, end := []byte{0, 0, 0}, appendKeyHeader(nil, 0xFFFF, 0)
	for {
		key, err := r.view.first(next, end)
		switch {
		case err != nil:
			return nil, fmt.Errorf("list tables: %w", err)
		case key == nil:
			return found, nil
		case len(key) < keyHeader:
			return nil, fmt.Errorf("key %x is too short: %w", key, ErrCorrupt)
		}
		p, t := ident.Partition(binary.BigEndian.Uint16(key)), machine.Table(key[2])
		if t != tableChunk && t != tableIntent {
			found = append(found, machine.Key{Partition: p, Table: t})
		}
		if next = appendKeyHeader(next[:0], p, t+1); t == 0xFF {
			next = appendKeyHeader(next[:0], p+1, 0)
		}
	}
}

// Marks implements Overview.
func (r *reader) Marks() (Marks, error) {
	value, err := r.view.get(metaKey())
	if err != nil || value == nil {
		return Marks{}, err
	}
	m, err := decodeMeta(value)
	return m.marks, err
}
