package persistence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// BackupInfo is what a backup says about itself.
type BackupInfo struct {
	// Format is the data format of its rows, as in the file FORMAT.
	Format uint32
	// Boot is the number of the opening that it was taken in.
	Boot uint32
	// Transaction is the last one that it holds; Taken is when nothing later was
	// durable.
	Transaction uint64
	Taken       time.Time
	// Marks are those of the last commit.
	Marks Marks
	// Rows are counted with those that only the store knows, Bytes are their
	// keys and values. Chunks are the pieces of large payloads among the rows, and
	// the notes of which to remove.
	Rows, Bytes, Chunks uint64
	// Damaged are rows that could not be read in the store already: they did not
	// fit their checksums, or parts of them were missing. They are in the backup as they were, and will be as damaged when it is
	// restored.
	Damaged uint64
}

// backupHead reads the meta row of v: what stands in front of a backup.
func backupHead(v view) (BackupInfo, error) {
	value, err := v.get(metaKey())
	if err != nil {
		return BackupInfo{}, fmt.Errorf("read the meta row: %w", err)
	}
	m, err := decodeMeta(value)
	return BackupInfo{Format: formatVersion, Boot: m.boot, Transaction: m.ts, Taken: time.UnixMilli(m.marks.Clock), Marks: m.marks}, err
}

// writeBackup writes the rows of v, the one moment of a store that head is of,
// to w. between is asked before each frame; its error ends the backup. Why a
// backup has failed is told to the reader of w, if there still is one.
func writeBackup(ctx context.Context, v view, head BackupInfo, w io.Writer, between func() error) (BackupInfo, error) {
	out := newBackupWriter(w)
	out.between = func() error { return errors.Join(context.Cause(ctx), between()) }
	err := out.begin(head)
	for p := ident.Partition(0); p < ident.Partitions && err == nil; p++ {
		from, to := partitionRange(p)
		err = v.scan(from, to, math.MaxInt, out.row)
	}
	if err == nil {
		err = out.end()
	}
	if errors.Is(err, ErrSnapshotExpired) {
		err = fmt.Errorf("it was not over in time: write it to a faster place, or raise MaxBackupAge: %w", err)
	}
	if err != nil {
		out.cut(err.Error())
		return BackupInfo{}, err
	}
	return out.info, nil
}

// count counts a row.
func (i *BackupInfo) count(key, value []byte) {
	i.Rows++
	i.Bytes += uint64(len(key) + len(value))
	if len(key) < keyHeader {
		return
	}
	if t := machine.Table(key[keyHeader-1]); t == tableChunk || t == tableIntent {
		i.Chunks++
	}
}

// partitionRange returns the range of all tables of a partition.
func partitionRange(p ident.Partition) (from, to []byte) {
	return []byte{byte(p >> 8), byte(p)}, []byte{byte(p >> 8), byte(p), 0xFF}
}

// checkStoredKey checks a key of any table but that of the meta row.
func checkStoredKey(key []byte) error {
	if len(key) < keyHeader || partitionOf(key) >= ident.Partitions || len(key) > maxKeyBytes {
		return fmt.Errorf("key %.64x: %w", key, errPartition)
	}
	switch machine.Table(key[keyHeader-1]) {
	case tableIntent:
		if len(key) != ownerKeyBytes+4 {
			return fmt.Errorf("key %.64x does not fit its table: %w", key, ErrCorrupt)
		}
	case tableChunk:
		if len(key) != ownerKeyBytes+8 {
			return fmt.Errorf("key %.64x does not fit its table: %w", key, ErrCorrupt)
		}
	default:
		_, err := parseKey(key)
		return err
	}
	return nil
}

// Backup implements Store. It holds a snapshot, of which see Options.MaxBackupAge,
// and is given up as well when the disk, or something else, gets scarcer than it
// was at its beginning: what is overwritten meanwhile stays on the disk.
func (s *badgerStore) Backup(ctx context.Context, w io.Writer) (BackupInfo, error) {
	if !s.life.enter() {
		return BackupInfo{}, fmt.Errorf("back up: %w", ErrClosed)
	}
	defer s.life.leave()
	if !s.backingUp.TryLock() {
		return BackupInfo{}, ErrBackupUnderWay
	}
	defer s.backingUp.Unlock()
	began := s.options.Now()
	info, err := s.backUp(ctx, w)
	took := s.options.Now().Sub(began)
	if err != nil {
		s.options.Logger.Warn("a backup has failed", "took", took, "error", err)
		return BackupInfo{}, fmt.Errorf("back up: %w", err)
	}
	s.options.Logger.Info("backup taken", "took", took, "transaction", info.Transaction,
		"rows", info.Rows, "bytes", info.Bytes, "damaged", info.Damaged)
	return info, nil
}

func (s *badgerStore) backUp(ctx context.Context, w io.Writer) (BackupInfo, error) {
	snap := s.snaps.hold(s.options.MaxBackupAge)
	defer s.snaps.release(snap)
	txn := s.db.NewTransactionAt(snap.ts, false)
	defer txn.Discard()
	v := &badgerView{txn: txn, snap: snap, closed: &s.closing}
	head, err := backupHead(v)
	if err != nil {
		return BackupInfo{}, err
	}
	if head.Transaction != snap.ts {
		return BackupInfo{}, fmt.Errorf("the meta row is of transaction %d, and the snapshot of %d: %w", head.Transaction, snap.ts, ErrCorrupt)
	}
	head.Taken = snap.taken
	pressure := s.health.read().Pressure
	return writeBackup(ctx, v, head, w, func() error {
		if h := s.health.read(); h.Pressure > pressure {
			return fmt.Errorf("%s: %w", h.Reason, ErrNoSpace)
		}
		return nil
	})
}

// Backup implements Store. It was taken, as it says, at the highest time that the
// runtime had used.
func (m *Memory) Backup(ctx context.Context, w io.Writer) (BackupInfo, error) {
	if m.closed.Load() {
		return BackupInfo{}, fmt.Errorf("back up: %w", ErrClosed)
	}
	if !m.backingUp.TryLock() {
		return BackupInfo{}, ErrBackupUnderWay
	}
	defer m.backingUp.Unlock()
	v := &memoryView{root: m.pages.snapshot(), closed: &m.closed}
	info, err := backupHead(v)
	if err == nil {
		info, err = writeBackup(ctx, v, info, w, func() error { return nil })
	}
	if err != nil {
		return BackupInfo{}, fmt.Errorf("back up: %w", err)
	}
	return info, nil
}
