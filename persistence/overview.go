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
	// Strays returns what is wrong with the chunks of large payloads: those that no
	// row names, and those that are about to be removed although one does.
	Strays() ([]Stray, error)
	// Marks returns the marks as they were at the moment of the snapshot.
	Marks() (Marks, error)
}

// Tables implements Overview.
func (r *reader) Tables() ([]machine.Key, error) {
	if err := r.list(); err != nil {
		return nil, err
	}
	return r.tables, nil
}

// list finds out once which tables and which chunks there are.
func (r *reader) list() error {
	if r.tables != nil {
		return nil
	}
	found := make([]machine.Key, 0, 64)
	next, end := []byte{0, 0, 0}, appendKeyHeader(nil, 0xFFFF, 0)
	for {
		key, err := r.view.first(next, end)
		switch {
		case err != nil:
			return fmt.Errorf("list tables: %w", err)
		case key == nil:
			r.tables = found
			return nil
		case len(key) < keyHeader:
			return fmt.Errorf("list tables: key %x is too short: %w", key, ErrCorrupt)
		}
		p, t := ident.Partition(binary.BigEndian.Uint16(key)), machine.Table(key[2])
		switch t {
		case tableChunk, tableIntent:
			if n := len(r.chunky); n == 0 || r.chunky[n-1] != p {
				r.chunky = append(r.chunky, p)
			}
		default:
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
