package persistence

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
)

// undo takes compactions back whose old tables are all still there: nobody has judged
// them (compaction.go), and they may have lost a table.
//
// A compaction changes what the manifest names, not what the store holds, so the old
// tables are as right as the new ones; and as long as one of them is missing, it was
// judged to be right. Later ones are taken back first, since they may have replaced the
// tables of earlier ones. What flushes have added stays.
type undo struct {
	dir string
	// sets are the compactions to take back, the latest first.
	sets []*pb.ManifestChangeSet
	// end is where the manifest goes on.
	end int64
}

// findUndo looks for them. A manifest that is damaged has none: whoever reads it next
// names it.
func findUndo(dir string) (*undo, error) {
	path := filepath.Join(dir, manifestFile)
	u := &undo{dir: dir}
	l, err := readManifestLog(path, manifestHeader)
	if errors.Is(err, ErrCorrupt) || errors.Is(err, os.ErrNotExist) {
		return u, nil
	}
	if err != nil {
		return nil, err
	}
	u.end = l.end
	live, created := map[uint64]bool{}, map[uint64]*pb.ManifestChange{}
	inverses := make([]*pb.ManifestChangeSet, len(l.sets))
	for i, set := range l.sets {
		if replaces(set) {
			inverses[i] = invert(set, created)
		}
		for _, change := range set.Changes {
			live[change.Id] = !deletes(change)
			if !deletes(change) {
				created[change.Id] = change
			}
		}
	}
	for i := len(l.sets) - 1; i >= 0; i-- {
		switch {
		case !replaces(l.sets[i]):
		case inverses[i] == nil || !u.possible(inverses[i], live):
			return u, nil
		default:
			for _, change := range inverses[i].Changes {
				live[change.Id] = !deletes(change)
			}
			u.sets = append(u.sets, inverses[i])
		}
	}
	return u, nil
}

// invert returns what takes a set back, nil when it names a table that nothing before
// it has created.
func invert(set *pb.ManifestChangeSet, created map[uint64]*pb.ManifestChange) *pb.ManifestChangeSet {
	inverse := new(pb.ManifestChangeSet)
	for _, change := range set.Changes {
		if !deletes(change) {
			inverse.Changes = append(inverse.Changes, &pb.ManifestChange{Id: change.Id, Op: pb.ManifestChange_DELETE})
		}
	}
	for _, change := range set.Changes {
		if !deletes(change) {
			continue
		}
		before := created[change.Id]
		if before == nil {
			return nil
		}
		inverse.Changes = append(inverse.Changes, before)
	}
	return inverse
}

// possible reports whether the tables of an inverse are there, and those that it removes
// were not replaced since.
func (u *undo) possible(inverse *pb.ManifestChangeSet, live map[uint64]bool) bool {
	for _, change := range inverse.Changes {
		if deletes(change) {
			if !live[change.Id] {
				return false
			}
			continue
		}
		name := table.NewFilename(change.Id, u.dir)
		if _, err := inspectTable(name, badger.TableManifest{Compression: options.CompressionType(change.Compression)}); live[change.Id] || err != nil {
			return false
		}
	}
	return true
}

// apply appends them to a manifest, durably.
func (u *undo) apply(path string) (err error) {
	if len(u.sets) == 0 {
		return nil
	}
	all := new(pb.ManifestChangeSet)
	for _, set := range u.sets {
		all.Changes = append(all.Changes, set.Changes...)
	}
	content, err := encodeSet(all)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(u.end); err != nil {
		return err
	}
	if _, err := f.WriteAt(content, u.end); err != nil {
		return err
	}
	return f.Sync()
}

// tables changes what a manifest names to what it will name.
func (u *undo) tables(named map[uint64]badger.TableManifest) {
	for _, set := range u.sets {
		for _, change := range set.Changes {
			if deletes(change) {
				delete(named, change.Id)
			} else {
				named[change.Id] = badger.TableManifest{Level: uint8(change.Level), KeyID: change.KeyId, Compression: options.CompressionType(change.Compression)}
			}
		}
	}
}
