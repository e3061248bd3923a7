package persistence

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"slices"

	"github.com/dgraph-io/badger/v4/pb"
	"google.golang.org/protobuf/proto"
)

// manifestLog is the engine's manifest, or a part of it: a log of changes, each set of
// which is one step from one whole of tables to the next. Each has its length and its
// CRC32C in front, big-endian.
type manifestLog struct {
	sets []*pb.ManifestChangeSet
	// end is the offset behind the last whole set. What is there is torn.
	end int64
}

const (
	manifestHeader = 8
	setHeader      = 8
)

// readManifestLog reads the sets of a manifest that begin at from.
func readManifestLog(path string, from int64) (l manifestLog, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return l, err
	}
	l.end = from
	if int64(len(content)) < from {
		return l, fmt.Errorf("%s has become shorter: %w", manifestFile, ErrCorrupt)
	}
	for rest := content[from:]; len(rest) >= setHeader; rest = content[l.end:] {
		size := int(binary.BigEndian.Uint32(rest))
		if len(rest)-setHeader < size {
			break
		}
		body := rest[setHeader : setHeader+size]
		if crc32.Checksum(body, castagnoli()) != binary.BigEndian.Uint32(rest[4:]) {
			return l, fmt.Errorf("%s is damaged behind byte %d: %w", manifestFile, l.end, ErrCorrupt)
		}
		set := new(pb.ManifestChangeSet)
		if err := proto.Unmarshal(body, set); err != nil {
			return l, fmt.Errorf("%s is damaged behind byte %d: %w: %w", manifestFile, l.end, err, ErrCorrupt)
		}
		l.sets = append(l.sets, set)
		l.end += int64(setHeader + size)
	}
	return l, nil
}

// encodeSet returns a set as it stands in the log.
func encodeSet(set *pb.ManifestChangeSet) ([]byte, error) {
	body, err := proto.Marshal(set)
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32(make([]byte, 0, setHeader+len(body)), uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, castagnoli()))
	return append(b, body...), nil
}

// replaces reports whether a set is that of a compaction: a flush deletes nothing.
func replaces(set *pb.ManifestChangeSet) bool {
	return slices.ContainsFunc(set.Changes, deletes)
}

func deletes(change *pb.ManifestChange) bool { return change.Op == pb.ManifestChange_DELETE }

func countDeletes(set *pb.ManifestChangeSet) (n int) {
	for _, change := range set.Changes {
		if deletes(change) {
			n++
		}
	}
	return n
}
