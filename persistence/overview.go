package persistence

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Overview is what the Readers of this package can do beside reading rows: tell
// what is true of a snapshot as a whole. It is for those who look at all of it.
type Overview interface {
	Reader
	// Partitions returns the partitions that have rows, in order.
	Partitions() ([]ident.Partition, error)
	// Marks returns the marks as they were at the moment of the snapshot.
	Marks() (Marks, error)
}

// Partitions implements Overview.
func (r *reader) Partitions() ([]ident.Partition, error) {
	var found []ident.Partition
	end := appendKeyHeader(nil, ident.Partitions, 0)
	for next := ident.Partition(0); next < ident.Partitions; {
		had := len(found)
		err := r.view.scan(appendKeyHeader(nil, next, 0), end, 1, func(key, _ []byte) error {
			if len(key) < keyHeader {
				return fmt.Errorf("key %x is too short: %w", key, ErrCorrupt)
			}
			found = append(found, ident.Partition(key[0])<<8|ident.Partition(key[1]))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list partitions: %w", err)
		}
		if len(found) == had {
			break
		}
		next = found[had] + 1
	}
	return found, nil
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
