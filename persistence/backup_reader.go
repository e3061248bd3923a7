package persistence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"
	"time"
)

// backupReader reads a backup, frame by frame, and believes nothing: lengths
// are checked before memory is taken, and a row is given out only from a frame
// whose checksum fits. That the backup is whole is known when next has returned
// io.EOF. It holds one frame in memory.
type backupReader struct {
	r   *bufio.Reader
	sum hash.Hash
	// number is that of the next frame, at the offset where it begins.
	number uint32
	at     int64
	info   BackupInfo
	// payload is the frame that was read last, last the last key so far.
	payload, last []byte
}

// storedRow is a row of the engine in a frame. It is valid until the next frame
// is read.
type storedRow struct{ key, value []byte }

// newBackupReader reads what comes before the rows.
func newBackupReader(r io.Reader) (*backupReader, error) {
	b := &backupReader{r: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
	magic := make([]byte, len(backupMagic))
	n, err := io.ReadFull(b.r, magic)
	b.at, magic = int64(n), magic[:n]
	name, _, _ := strings.Cut(backupMagic, "1")
	switch {
	case string(magic) == backupMagic:
	case err != nil && strings.HasPrefix(backupMagic, string(magic)):
		return nil, b.short(err)
	case strings.HasPrefix(string(magic), name):
		line, _, _ := bytes.Cut(magic, []byte("\n"))
		return nil, fmt.Errorf("it begins with %q where this build reads %q: %w", line, strings.TrimSpace(backupMagic), ErrBackupFormat)
	default:
		return nil, fmt.Errorf("it does not begin with %q: %w", strings.TrimSpace(backupMagic), ErrNoBackup)
	}
	b.sum.Write(magic)
	kind, err := b.frame()
	if err != nil {
		return nil, err
	}
	if kind != frameHead || len(b.payload) < headPayload {
		return nil, b.damaged("the first frame is no head")
	}
	b.head(b.payload)
	return b, nil
}

func (b *backupReader) head(p []byte) {
	b.info.Format = binary.BigEndian.Uint32(p)
	b.info.Boot = binary.BigEndian.Uint32(p[4:])
	b.info.Transaction = binary.BigEndian.Uint64(p[8:])
	b.info.Marks.Timers = int64(binary.BigEndian.Uint64(p[16:]))
	b.info.Marks.Clock = int64(binary.BigEndian.Uint64(p[24:]))
	b.info.Taken = time.UnixMilli(int64(binary.BigEndian.Uint64(p[32:])))
}

// next returns the rows of the next frame; io.EOF when the backup has ended as
// it should.
func (b *backupReader) next(rows []storedRow) ([]storedRow, error) {
	sum := b.sum.Sum(nil) // before the frame
	kind, err := b.frame()
	if err != nil {
		return nil, err
	}
	switch kind {
	case frameRows:
		return b.rows(rows[:0])
	case frameEnd:
		return nil, b.end(sum)
	case frameCut:
		return nil, fmt.Errorf("the process has given it up: %.1024q: %w", b.payload, ErrBackupIncomplete)
	default:
		return nil, b.damaged("a frame of the kind " + kind.String() + " stands among the rows")
	}
}

// frame reads one frame into payload.
func (b *backupReader) frame() (frameKind, error) {
	var header [frameHeader]byte
	if err := b.read(header[:]); err != nil {
		return 0, err
	}
	kind, number, length := frameKind(header[0]), binary.BigEndian.Uint32(header[1:]), binary.BigEndian.Uint32(header[5:])
	switch {
	case kind != frameHead && kind != frameRows && kind != frameEnd && kind != frameCut:
		return 0, b.damaged("the kind of a frame is " + kind.String())
	case number != b.number:
		return 0, b.damaged(fmt.Sprintf("frame %d stands where frame %d belongs", number, b.number))
	case length > maxBackupFrameBytes:
		return 0, b.damaged(fmt.Sprintf("a frame claims %d bytes, and %d are possible", length, maxBackupFrameBytes))
	}
	if cap(b.payload) < int(length) {
		b.payload = make([]byte, length)
	}
	b.payload = b.payload[:length]
	var tail [frameSum]byte
	if err := b.read(b.payload); err != nil {
		return 0, err
	}
	if err := b.read(tail[:]); err != nil {
		return 0, err
	}
	sum := crc32.Update(crc32.Checksum(header[:], castagnoli()), castagnoli(), b.payload)
	if binary.BigEndian.Uint32(tail[:]) != sum {
		return 0, b.damaged(fmt.Sprintf("the checksum of frame %d does not fit", number))
	}
	b.number++
	for _, part := range [][]byte{header[:], b.payload, tail[:]} {
		b.sum.Write(part)
	}
	return kind, nil
}

func (b *backupReader) read(p []byte) error {
	n, err := io.ReadFull(b.r, p)
	b.at += int64(n)
	if err != nil {
		return b.short(err)
	}
	return nil
}

// short is the error of a stream that ends too early.
func (b *backupReader) short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends at byte %d, without its end: %w", b.at, ErrBackupIncomplete)
	}
	return fmt.Errorf("read at byte %d: %w: %w", b.at, err, ErrBackupIncomplete)
}

func (b *backupReader) damaged(what string) error {
	return fmt.Errorf("before byte %d: %s: %w", b.at, what, ErrBackupDamaged)
}

// rows reads the rows of payload.
func (b *backupReader) rows(rows []storedRow) ([]storedRow, error) {
	for rest := b.payload; len(rest) > 0; {
		var row storedRow
		var ok bool
		if row.key, rest, ok = cutPart(rest); ok {
			row.value, rest, ok = cutPart(rest)
		}
		if !ok || len(rows) == maxBackupFrameRows || len(row.key) > maxKeyBytes || len(row.value) >= MaxBatchBytes {
			return nil, b.damaged("the rows of a frame are malformed")
		}
		if bytes.Compare(row.key, b.last) <= 0 { // the empty key too
			return nil, b.damaged("the row " + keyText(row.key) + " does not lie behind the one before it")
		}
		b.last = append(b.last[:0], row.key...)
		b.info.count(row.key, row.value)
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, b.damaged("a frame has no rows")
	}
	return rows, nil
}

// cutPart cuts off a length and as many bytes.
func cutPart(b []byte) (part, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, false
	}
	b = b[width:]
	return b[:n:n], b[n:], true
}

// end checks the last frame; sum is the hash of everything before it.
func (b *backupReader) end(sum []byte) error {
	p := b.payload
	if len(p) < endPayload {
		return b.damaged("the end is malformed")
	}
	rows, size := binary.BigEndian.Uint64(p), binary.BigEndian.Uint64(p[8:])
	b.info.Damaged = binary.BigEndian.Uint64(p[16:])
	switch {
	case rows != b.info.Rows || size != b.info.Bytes:
		return b.damaged(fmt.Sprintf("it holds %d rows of %d bytes, and its end says %d of %d", b.info.Rows, b.info.Bytes, rows, size))
	case !bytes.Equal(sum, p[24:endPayload]):
		return b.damaged("the checksum of the whole does not fit")
	}
	_, err := b.r.ReadByte()
	switch {
	case err == nil:
		return b.damaged("something follows its end")
	case !errors.Is(err, io.EOF):
		return b.short(err)
	}
	return io.EOF
}

// CheckBackup reads a backup to its end and returns what it says about itself
// if it is whole: the order and checksum of every frame, the count of rows, the
// checksum of everything, and nothing behind. It does not ask whether this build
// can restore it. Errors wrap ErrNoBackup, ErrBackupFormat, ErrBackupIncomplete
// or ErrBackupDamaged, and the error of r where there is one. It needs a few
// megabytes of memory, whatever is in r.
func CheckBackup(r io.Reader) (BackupInfo, error) {
	b, err := newBackupReader(r)
	if err != nil {
		return BackupInfo{}, fmt.Errorf("check the backup: %w", err)
	}
	var rows []storedRow
	for err == nil {
		rows, err = b.next(rows)
	}
	if err != io.EOF {
		return BackupInfo{}, fmt.Errorf("check the backup: %w", err)
	}
	return b.info, nil
}
