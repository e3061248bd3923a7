package persistence

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// audit looks at all rows of a store in the order of their keys and counts those
// that cannot be read: the key is none of ours, the checksum does not fit, or a
// chunk is missing or damaged. Chunks lie in front of the rows that own them, in
// the same partition, so it is enough to remember how many bytes of each blob have
// come by: some hundred bytes for each, which has 8 KiB at least and mostly more
// than 256.
type audit struct {
	damaged   uint64
	partition ident.Partition
	// blobs are bytes by the key of a chunk without its number.
	blobs map[string]uint64
	key   []byte
}

// maxAuditedBlobs bounds the memory of an audit. In a partition with more of them
// the rows behind them are not asked for their chunks.
const maxAuditedBlobs = 1 << 20

// look looks at the next row.
func (a *audit) look(key, value []byte) {
	if !a.sound(key, value) {
		a.damaged++
	}
}

func (a *audit) sound(key, value []byte) bool {
	if checkStoredKey(key) != nil {
		return false
	}
	flags, body, err := unseal(key, value)
	if err != nil {
		return false
	}
	if p := partitionOf(key); p != a.partition || a.blobs == nil {
		a.partition, a.blobs = p, map[string]uint64{}
	}
	switch {
	case machine.Table(key[keyHeader-1]) == tableChunk:
		if len(a.blobs) <= maxAuditedBlobs {
			a.blobs[string(blobKey(key))] += uint64(len(body))
		}
		return true
	case flags&flagChunks == 0 || len(a.blobs) > maxAuditedBlobs:
		return true
	default:
		return a.hasChunks(key, body)
	}
}

// blobKey is what the keys of all chunks of a blob begin with.
func blobKey(chunk []byte) []byte { return chunk[:len(chunk)-4] }

// hasChunks reports whether all chunks of a row have come by.
func (a *audit) hasChunks(key, body []byte) bool {
	k, err := parseKey(key)
	if err != nil {
		return false
	}
	s, _, ok := readList(&k, body)
	if !ok {
		return false
	}
	for i, size := range s.sizes {
		a.key = s.appendChunkKey(a.key[:0], uint32(i), 0)
		if a.blobs[string(blobKey(a.key))] != size {
			return false
		}
	}
	return true
}
