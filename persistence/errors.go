package persistence

import "errors"

// Errors of Open. They end with what to do.
var (
	// ErrInUse says that another process has the directory open. The error that
	// wraps it names its pid.
	ErrInUse = errors.New("the data directory is in use; stop the other process or choose another directory")
	// ErrFormat says that the directory was written by another format version,
	// or by another program, or that it is no data directory at all. Nothing was
	// changed.
	ErrFormat = errors.New("the data directory has a format that this build does not know; open it with the version that wrote it")
	// ErrNoSpace says that so little space, inodes, descriptors or memory maps
	// are left that the engine could lose data. Commit returns it too.
	ErrNoSpace = errors.New("not enough room to go on safely; make room and start again")
)

// Errors of Encode.
var (
	// ErrTooLarge says that one output is larger than a commit can take. Nothing
	// was written.
	ErrTooLarge = errors.New("the output is larger than one commit can hold; write less in one step")
)

// Errors while a store is open.
var (
	// ErrCorrupt says that stored bytes are not the ones that were written, or
	// that some are missing. Open returns it for a whole directory and names the
	// file, a Reader for one row and names the row.
	ErrCorrupt = errors.New("stored data is damaged; restore the directory from a backup")
	// ErrSnapshotExpired says that a Read lasted so long that what it looked at
	// may be gone. What it had read until then was right.
	ErrSnapshotExpired = errors.New("the snapshot is too old; read again")
	// ErrClosed says that the store was closed, or that a commit failed before.
	ErrClosed = errors.New("the store is closed")
	// ErrDeposed says that another process has taken the directory over in spite
	// of the lock, or that the directory was moved, removed or replaced. Nothing of
	// the group that met it is acknowledged, and Close writes nothing any more.
	ErrDeposed = errors.New("the data directory is no longer that of this process; leave it to one process, where it is, and start again")
)

// Errors of backups.
var (
	// ErrBackupUnderWay says that another backup is being taken from the store.
	ErrBackupUnderWay = errors.New("another backup is being taken; wait for its end")
	// ErrNoBackup says that a file is something else.
	ErrNoBackup = errors.New("this is no backup of Dormouse; name another file")
	// ErrBackupFormat says that a backup has a version, or rows of a data format,
	// that this build does not know.
	ErrBackupFormat = errors.New("this build does not know the format of the backup; use the version that wrote it")
	// ErrBackupIncomplete says that a backup ends before its end. The process, the
	// connection or the disk has failed meanwhile.
	ErrBackupIncomplete = errors.New("the backup is incomplete and of no use; take another one")
	// ErrBackupDamaged says that the bytes of a backup are not those that were
	// written.
	ErrBackupDamaged = errors.New("the backup is damaged; use another one")
	// ErrNotEmpty says that the directory of a restore holds something already.
	ErrNotEmpty = errors.New("something is there already; name a directory that does not exist, or an empty one")
)

// reworded is an error of a kind whose own text would not say what to do.
type reworded struct {
	text string
	kind error
}

// Error implements error.
func (e *reworded) Error() string { return e.text }

// Unwrap returns the kind.
func (e *reworded) Unwrap() error { return e.kind }
