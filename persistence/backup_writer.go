package persistence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
)

// backupWriter writes one backup, frame by frame. It holds one frame in memory.
type backupWriter struct {
	w   io.Writer
	sum hash.Hash
	// frame is the frame under way, its first frameHeader bytes reserved.
	frame []byte
	// number is that of the frame under way, inFrame its rows.
	number  uint32
	inFrame int
	info    BackupInfo
	audit   audit
	// broken is what w has failed with.
	broken error
	// between is asked before each frame of rows, when it is not nil; its error
	// ends the backup.
	between func() error
}

func newBackupWriter(w io.Writer) *backupWriter {
	return &backupWriter{w: w, sum: sha256.New(), frame: make([]byte, frameHeader, frameHeader+backupFrameBytes+frameSum)}
}

// begin writes what comes before the rows.
func (b *backupWriter) begin(info BackupInfo) error {
	b.info = info
	if err := b.write([]byte(backupMagic)); err != nil {
		return err
	}
	b.frame = info.appendHead(b.frame)
	return b.flush(frameHead)
}

// row adds a row, which must lie behind the one before. One that is damaged goes
// along as it is, and is counted.
func (b *backupWriter) row(key, value []byte) error {
	size := len(key) + len(value) + 2*binary.MaxVarintLen32
	if b.inFrame > 0 && (len(b.frame)+size > frameHeader+backupFrameBytes || b.inFrame == maxBackupFrameRows) {
		if err := b.flushRows(); err != nil {
			return err
		}
	}
	b.audit.look(key, value)
	b.frame = binary.AppendUvarint(b.frame, uint64(len(key)))
	b.frame = append(b.frame, key...)
	b.frame = binary.AppendUvarint(b.frame, uint64(len(value)))
	b.frame = append(b.frame, value...)
	b.inFrame++
	b.info.count(key, value)
	return nil
}

func (b *backupWriter) flushRows() error {
	if b.inFrame == 0 {
		return nil
	}
	if b.between != nil {
		if err := b.between(); err != nil {
			return err
		}
	}
	b.inFrame = 0
	return b.flush(frameRows)
}

// end writes the last frame. Before it returns nil the backup is none.
func (b *backupWriter) end() error {
	if err := b.flushRows(); err != nil {
		return err
	}
	b.info.Damaged = b.audit.damaged
	b.frame = binary.BigEndian.AppendUint64(b.frame, b.info.Rows)
	b.frame = binary.BigEndian.AppendUint64(b.frame, b.info.Bytes)
	b.frame = binary.BigEndian.AppendUint64(b.frame, b.info.Damaged)
	b.frame = b.sum.Sum(b.frame)
	return b.flush(frameEnd)
}

// cut tells the other side why there will be no end, if it still listens.
func (b *backupWriter) cut(reason string) {
	if b.broken != nil {
		return
	}
	b.frame = append(b.frame[:frameHeader], reason[:min(len(reason), maxCutReason)]...)
	_ = b.flush(frameCut) // the caller has an error already
}

func (b *backupWriter) flush(kind frameKind) error {
	frame := sealFrame(b.frame, kind, b.number)
	b.number++
	b.frame = frame[:frameHeader]
	return b.write(frame)
}

func (b *backupWriter) write(content []byte) error {
	b.sum.Write(content) // never fails
	if _, err := b.w.Write(content); err != nil {
		b.broken = fmt.Errorf("write the backup: %w", err)
	}
	return b.broken
}
