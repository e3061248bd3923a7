package persistence

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A backup is a file, or a stream, of one line and frames:
//
//	"dormouse backup 1\n"                     what it is, and the version of all that follows
//	H  format 4, boot 4, transaction 8,       what it was taken from, and when
//	   timers 8, clock 8, taken 8
//	R  (key length, key, value length, value)…   rows, in order of their keys; lengths are uvarints
//	…
//	E  rows 8, bytes 8, damaged 8, SHA-256 32    the end: counts, and the hash of every byte before this frame
//
// A frame is kind 1, number 4, length 4, payload, CRC32C 4 over all of these.
// Numbers are big-endian; frames count from 0. Instead of E there may be X, with
// a text: why the process has given the backup up. Only a stream that ends with
// E, and nothing behind it, is a backup.
//
// Rows are those of the engine as they are, chunks and intents included, except
// the meta row, which is in H. So a backup can be restored by every build that
// writes the same data format.
//
// Payloads of H and E may get more fields at their end; what is there does not
// change without another version.

// backupMagic is the first line.
const backupMagic = "dormouse backup 1\n"

// Limits of a frame. The writer ends one before backupFrameBytes unless a
// single row is larger; the reader takes what fits one transaction of the
// engine.
const (
	backupFrameBytes    = 1 << 20
	maxBackupFrameBytes = 2 << 20
	maxBackupFrameRows  = 16 << 10
)

const (
	frameHeader  = 1 + 4 + 4
	frameSum     = 4
	headPayload  = 4 + 4 + 4*8
	endPayload   = 3*8 + 32
	maxCutReason = 1 << 10
)

// frameKind tells what is in a frame.
type frameKind byte

const (
	frameHead frameKind = 'H'
	frameRows frameKind = 'R'
	frameEnd  frameKind = 'E'
	frameCut  frameKind = 'X'
)

// String is the word used in errors.
func (k frameKind) String() string {
	switch k {
	case frameHead:
		return "head"
	case frameRows:
		return "rows"
	case frameEnd:
		return "end"
	case frameCut:
		return "cut"
	default:
		return fmt.Sprintf("unknown (%02x)", byte(k))
	}
}

// sealFrame completes a frame whose first frameHeader bytes are reserved.
func sealFrame(frame []byte, kind frameKind, number uint32) []byte {
	frame[0] = byte(kind)
	binary.BigEndian.PutUint32(frame[1:], number)
	binary.BigEndian.PutUint32(frame[5:], uint32(len(frame)-frameHeader))
	return binary.BigEndian.AppendUint32(frame, crc32.Checksum(frame, castagnoli()))
}

// appendHead appends the payload of the first frame.
func (i *BackupInfo) appendHead(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, i.Format)
	b = binary.BigEndian.AppendUint32(b, i.Boot)
	b = binary.BigEndian.AppendUint64(b, i.Transaction)
	b = binary.BigEndian.AppendUint64(b, uint64(i.Marks.Timers))
	b = binary.BigEndian.AppendUint64(b, uint64(i.Marks.Clock))
	return binary.BigEndian.AppendUint64(b, uint64(i.Taken.UnixMilli()))
}
