//go:build linux || darwin

package persistence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// bootStep is how far a restore raises the boot counter at least, and less than
// twice as far at most. The program from which the backup was taken went on
// after it, and may have been started again up to bootStep times: numbers that it
// has drawn since then must not be drawn again, for they may be known outside, in
// tokens of closures. How far exactly is random, so that two restores of one backup
// do not draw the same ones either. After some 170 restores, each of a backup
// of what the one before has become, the 24 bits of the counter are used up.
const bootStep = 1 << 16

// partialSuffix is that of the directory in which a restore works.
const partialSuffix = ".partial"

// Restore makes a data directory of a backup. Dir must not exist or be empty;
// everything is written to a directory beside it, dir.partial, which becomes dir
// when the backup has been read to its end and found whole. After an error nothing
// is left.
//
// The store has the rows and marks of the backup, and a boot counter that the
// original can be expected not to have reached; see docs/operations.md for what
// that means for an operator.
//
// Errors are those of CheckBackup, ErrBackupFormat for another data format,
// ErrNotEmpty, and those of Open.
func Restore(ctx context.Context, r io.Reader, dir string, o Options) (BackupInfo, error) {
	info, err := restore(ctx, r, filepath.Clean(dir), o)
	if err != nil {
		return BackupInfo{}, fmt.Errorf("restore %s: %w", dir, err)
	}
	return info, nil
}

func restore(ctx context.Context, r io.Reader, dir string, o Options) (BackupInfo, error) {
	b, err := newBackupReader(r)
	if err != nil {
		return BackupInfo{}, err
	}
	switch {
	case b.info.Format != formatVersion:
		return BackupInfo{}, fmt.Errorf("its rows have data format %d where this build writes %d: %w", b.info.Format, formatVersion, ErrBackupFormat)
	case b.info.Boot >= ident.MaxBoot-2*bootStep:
		return BackupInfo{}, fmt.Errorf("its boot counter is %d, and there is no room behind it: %w", b.info.Boot, ErrBackupFormat)
	}
	partial, err := restorePlace(dir)
	if err != nil {
		return BackupInfo{}, err
	}
	if err := fillStore(ctx, b, partial, o); err != nil {
		return BackupInfo{}, errors.Join(err, os.RemoveAll(partial))
	}
	if err := replace(partial, dir); err != nil {
		return BackupInfo{}, errors.Join(err, os.RemoveAll(partial))
	}
	return b.info, syncDir(filepath.Dir(dir))
}

// restorePlace makes the directory in which a restore works. What will not be
// possible at the end is tried at the beginning.
func restorePlace(dir string) (partial string, err error) {
	list, err := os.ReadDir(dir)
	switch {
	case err == nil && len(list) > 0:
		return "", fmt.Errorf("%s is in it: %w", list[0].Name(), ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	partial = dir + partialSuffix
	if err := os.Mkdir(partial, 0o700); errors.Is(err, fs.ErrExist) {
		return "", &reworded{partial + " exists: another restore is under way, or one was killed; remove it then", ErrNotEmpty}
	} else if err != nil {
		return "", err
	}
	if list == nil {
		return partial, nil
	}
	// An empty directory may be one that cannot be replaced, such as the root of a
	// volume.
	if err := replace(partial, dir); err != nil {
		return "", errors.Join(fmt.Errorf("it cannot be replaced, name a directory in it: %w", err), os.Remove(partial))
	}
	return partial, os.Mkdir(partial, 0o700)
}

// replace makes a directory take the place of another one, which does not exist or
// is empty. That of package os refuses the second case.
func replace(from, to string) error {
	if err := unix.Rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// restoring is what FORMAT says until a restore is done, so that nobody opens what
// is left of one that was killed.
const restoring = "dormouse restore that has not ended\n"

// fillStore writes the rows of b to a new store in dir.
func fillStore(ctx context.Context, b *backupReader, dir string, o Options) error {
	if err := writeFile(dir, formatFile, []byte(restoring)); err != nil {
		return err
	}
	store, err := openAs(dir, o, func(dir string) error {
		m := marker{State: markerNew}
		return m.write(dir)
	})
	if err != nil {
		return err
	}
	s := store.(*badgerStore)
	if err = errors.Join(s.load(ctx, b), s.Close()); err != nil {
		return err
	}
	return writeFile(dir, formatFile, formatText(formatVersion))
}

// load writes the rows of b, a transaction for each frame, and at last the boot
// counter and the marks.
func (s *badgerStore) load(ctx context.Context, b *backupReader) error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	var rows []storedRow
	var entries []entry
	var audit audit
	for {
		var err error
		if err = context.Cause(ctx); err == nil {
			rows, err = b.next(rows)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		entries = entries[:0]
		for _, row := range rows {
			if len(row.key) < keyHeader || partitionOf(row.key) >= ident.Partitions {
				return b.damaged("the row " + keyText(row.key) + " is none of a store")
			}
			audit.look(row.key, row.value)
			entries = append(entries, entry{key: row.key, value: row.value})
		}
		if err := s.log.put(entries); err != nil {
			return err
		}
	}
	if audit.damaged != b.info.Damaged {
		return b.damaged(fmt.Sprintf("%d of its rows are damaged, and its end says %d", audit.damaged, b.info.Damaged))
	}
	s.log.meta.boot = b.info.Boot + bootStep + rand.Uint32N(bootStep)
	s.log.meta.marks = b.info.Marks
	return s.log.put(nil)
}

// put writes entries of a restore, which are of different rows, in a transaction
// of their own.
func (l *commitLog) put(entries []entry) error {
	if err := l.before(); err != nil {
		return err
	}
	l.meta.ts++
	entries = append(entries, entry{key: metaKey(), value: l.meta.encode()})
	if err := l.engine.write(l.meta.ts, entries); err != nil {
		return fmt.Errorf("write transaction %d: %w", l.meta.ts, err)
	}
	return l.after(l.meta.ts)
}
