package persistence

import (
	"encoding/binary"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Payloads that are too large for their row are blobs, stored in chunk rows of
// at most ChunkBytes. The row names its blobs in a list before its body. Chunks
// belong to one row and one output; they are never shared and never named by
// content.
//
// The chunks of one output may be more than one transaction takes, and so may
// those that lose their row. What must never happen is a row that names chunks
// which are not there, or chunks that nobody will ever remove. One kind of row
// settles both: an intent says "nobody names these blobs".
//
//	write   transaction 1    intent + first chunks
//	        transaction 2    more chunks
//	        transaction 3    row that names them, intent removed
//	drop    transaction n    row overwritten or removed, intent written
//	        transactions >n  chunks removed, at last the intent
//
// When everything fits one transaction the intent is written and removed in it
// and leaves no trace. A crash between the steps leaves the intent, and the
// next start removes the chunks in its range. Dropped chunks are removed in
// slices by later commits, Tidy and start-up, so a sweep of the machine stays a
// delete per row, however large the row was.
//
// To drop the chunks of a row its old value must be looked at. This is done
// only for tables that can own chunks, only in partitions that hold any chunk,
// and not for rows that are new; see needsOld.

// blobs names the blobs of one row.
type blobs struct {
	partition ident.Partition
	table     machine.Table
	owner     uint64
	seq       ident.Seq
	first     uint32
	sizes     []uint64
}

// ownerKeyBytes is the length of the part of chunk and intent keys that says
// which output wrote them for whom.
const ownerKeyBytes = keyHeader + 1 + 8 + 8

func (s *blobs) appendKey(b []byte, t machine.Table) []byte {
	b = appendKeyHeader(b, s.partition, t)
	b = append(b, byte(s.table))
	b = binary.BigEndian.AppendUint64(b, s.owner)
	return binary.BigEndian.AppendUint64(b, uint64(s.seq))
}

func (s *blobs) appendIntentKey(b []byte) []byte {
	return binary.BigEndian.AppendUint32(s.appendKey(b, tableIntent), s.first)
}

// appendChunkKey appends the key of chunk n of the i-th blob.
func (s *blobs) appendChunkKey(b []byte, i, n uint32) []byte {
	b = binary.BigEndian.AppendUint32(s.appendKey(b, tableChunk), s.first+i)
	return binary.BigEndian.AppendUint32(b, n)
}

// appendIntentValue appends the sealed value of the intent row under key.
func (s *blobs) appendIntentValue(b, key []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, valueHeader)...)
	b = binary.AppendUvarint(b, uint64(len(s.sizes)))
	seal(key, b[start:], 0)
	return b
}

// appendList appends the list that stands in the value of the row.
func (s *blobs) appendList(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.sizes)))
	b = binary.BigEndian.AppendUint64(b, uint64(s.seq))
	b = binary.AppendUvarint(b, uint64(s.first))
	for _, n := range s.sizes {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// readList reads the list of the row under k and returns what follows it.
func readList(k *machine.Key, body []byte) (s blobs, rest []byte, ok bool) {
	d := decoder{b: body, strict: true}
	n := d.count()
	s = blobs{partition: k.Partition, table: k.Table, owner: k.A, seq: ident.Seq(d.u64()), first: d.n32()}
	s.sizes = make([]uint64, n)
	for i := range s.sizes {
		s.sizes[i] = d.num()
	}
	return s, d.b, !d.bad && n > 0
}

// blobsOf returns the blobs that value names, if any.
func blobsOf(key, value []byte) (s blobs, found bool, err error) {
	if len(value) < 2 || value[1]&flagChunks == 0 {
		return s, false, nil
	}
	_, body, err := unseal(key, value)
	if err != nil {
		return s, false, err
	}
	k, err := parseKey(key)
	if err != nil {
		return s, false, err
	}
	s, _, ok := readList(&k, body)
	if !ok {
		return s, false, damaged(key, "its list of blobs is malformed")
	}
	return s, true, nil
}

func chunkCount(size uint64) uint32 { return uint32((size + ChunkBytes - 1) / ChunkBytes) }

// fetch reads the blobs through get, which returns nil for a missing row.
func (s *blobs) fetch(get func(key []byte) ([]byte, error)) ([][]byte, error) {
	all := make([][]byte, len(s.sizes))
	for i, size := range s.sizes {
		var blob, key []byte
		for n := range chunkCount(size) {
			key = s.appendChunkKey(key[:0], uint32(i), n)
			piece, err := fetchChunk(key, get)
			if err != nil {
				return nil, err
			}
			if n == 0 {
				blob = make([]byte, 0, min(size, uint64(len(piece))*uint64(chunkCount(size))))
			}
			blob = append(blob, piece...)
		}
		if uint64(len(blob)) != size {
			return nil, fmt.Errorf("chunks of row %s hold %d bytes of %d: %w", keyText(key), len(blob), size, ErrCorrupt)
		}
		all[i] = blob
	}
	return all, nil
}

func fetchChunk(key []byte, get func(key []byte) ([]byte, error)) ([]byte, error) {
	value, err := get(key)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, damaged(key, "the chunk is missing")
	}
	_, body, err := unseal(key, value)
	return body, err
}

// garbage is the range of chunk rows that an intent covers.
type garbage struct{ intent, from, to []byte }

// garbageOf returns the range of the intent row under key.
func garbageOf(key, value []byte) (garbage, error) {
	_, body, err := unseal(key, value)
	if err != nil {
		return garbage{}, err
	}
	d := decoder{b: body, strict: true}
	n := d.num()
	if d.bad || len(key) != ownerKeyBytes+4 {
		return garbage{}, damaged(key, "the intent is malformed")
	}
	first := binary.BigEndian.Uint32(key[ownerKeyBytes:])
	if n == 0 || n > uint64(1<<32-1-first) {
		return garbage{}, damaged(key, "the intent is malformed")
	}
	owner := append([]byte(nil), key[:ownerKeyBytes]...)
	owner[keyHeader-1] = byte(tableChunk)
	return garbage{
		intent: append([]byte(nil), key...),
		from:   binary.BigEndian.AppendUint32(owner[:len(owner):len(owner)], first),
		to:     binary.BigEndian.AppendUint32(owner[:len(owner):len(owner)], first+uint32(n)),
	}, nil
}

// garbage returns the range of s.
func (s *blobs) garbage() garbage {
	end := *s
	end.first += uint32(len(s.sizes))
	return garbage{
		intent: s.appendIntentKey(nil),
		from:   s.appendChunkKey(nil, 0, 0),
		to:     end.appendChunkKey(nil, 0, 0),
	}
}
