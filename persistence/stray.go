package persistence

import (
	"encoding/binary"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Stray is a chunk that is in nobody's hands, or in two: those of a row that names
// it and of an intent that has it removed. Row names it, Text says what is wrong.
type Stray struct{ Row, Text string }

// blobRef names one blob: partition, table, owner, seq and number, as in the key
// of its chunks.
type blobRef [ownerKeyBytes - keyHeader + 4]byte

// strays looks at the chunks of one partition.
type strays struct {
	view view
	// named has how many chunks rows say that a blob has, unnamed those blobs that
	// an intent has removed.
	named   map[blobRef]uint32
	unnamed map[blobRef]bool
	found   []Stray
}

// Strays implements Overview.
func (r *reader) Strays() ([]Stray, error) {
	if err := r.list(); err != nil {
		return nil, err
	}
	var found []Stray
	for _, p := range r.chunky {
		s := strays{view: r.view, named: map[blobRef]uint32{}, unnamed: map[blobRef]bool{}}
		if err := s.look(p); err != nil {
			return nil, fmt.Errorf("look for strays in partition %d: %w", p, err)
		}
		found = append(found, s.found...)
	}
	return found, nil
}

func (s *strays) look(p ident.Partition) error {
	err := s.each(p, tableIntent, s.intent)
	for _, t := range []machine.Table{
		machine.TableState, machine.TableInvocation, machine.TableJournal, machine.TableOutbox, machine.TablePromise, machine.TableChore, machine.TablePatch,
	} {
		if err == nil {
			err = s.each(p, t, s.row)
		}
	}
	if err == nil {
		err = s.each(p, tableChunk, s.chunk)
	}
	return err
}

// each hands the rows of a table to fn.
func (s *strays) each(p ident.Partition, t machine.Table, fn func(key, value []byte)) error {
	from, to := tableRange(p, t)
	w := s.view.walk(from, to, Ascending)
	defer w.close()
	for {
		more, err := w.next()
		if err != nil || !more {
			return err
		}
		value, err := w.value()
		if err != nil {
			return err
		}
		if value != nil {
			fn(w.key(), value)
		}
	}
}

func (s *strays) stray(key []byte, text string) {
	s.found = append(s.found, Stray{Row: keyText(key), Text: text})
}

// intent notes the blobs that an intent has removed.
func (s *strays) intent(key, value []byte) {
	g, err := garbageOf(key, value)
	if err != nil {
		s.stray(key, err.Error())
		return
	}
	first, end := binary.BigEndian.Uint32(g.from[ownerKeyBytes:]), binary.BigEndian.Uint32(g.to[ownerKeyBytes:])
	for blob := first; blob < end; blob++ {
		s.unnamed[refOf(key, blob)] = true
	}
}

// refOf returns the name of a blob, by the key of an intent or a chunk of its
// owner.
func refOf(key []byte, blob uint32) (ref blobRef) {
	copy(ref[:], key[keyHeader:ownerKeyBytes])
	binary.BigEndian.PutUint32(ref[ownerKeyBytes-keyHeader:], blob)
	return ref
}

// row notes the blobs that a row names. One that cannot be read names none, which
// whoever reads rows finds.
func (s *strays) row(key, value []byte) {
	list, found, err := blobsOf(key, value)
	if err != nil || !found {
		return
	}
	owner := list.appendKey(nil, tableChunk)
	for i, size := range list.sizes {
		ref := refOf(owner, list.first+uint32(i))
		s.named[ref] = chunkCount(size)
		if s.unnamed[ref] {
			s.stray(key, fmt.Sprintf("an intent has blob %d of it removed", list.first+uint32(i)))
		}
	}
}

func (s *strays) chunk(key, _ []byte) {
	const blobAt, numberAt, length = ownerKeyBytes, ownerKeyBytes + 4, ownerKeyBytes + 8
	if len(key) != length {
		s.stray(key, "it does not fit its table")
		return
	}
	ref := refOf(key, binary.BigEndian.Uint32(key[blobAt:]))
	number := binary.BigEndian.Uint32(key[numberAt:])
	if chunks, named := s.named[ref]; named && number < chunks || s.unnamed[ref] {
		return
	}
	s.stray(key, "no row names this chunk, and no intent has it removed")
}
