package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
)

// blockBytes is the unit of Stat_t.Blocks, whatever the file system uses.
const blockBytes = 512

// allocated is the space that the files of a directory take, by their blocks:
// files with holes count less than their length.
func allocated(dir string) (bytes int64) {
	// A file may go while it is looked at; then it takes nothing.
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		var s syscall.Stat_t
		if err == nil && syscall.Lstat(path, &s) == nil {
			bytes += s.Blocks * blockBytes
		}
		return nil
	})
	return bytes
}

// scan counts the rows of a store that is closed, and the bytes of their keys
// and values.
func scan(dir string) (rows, bytes int64, err error) {
	version, err := format(dir)
	if err != nil {
		return 0, 0, err
	}
	db, err := badger.OpenManaged(badger.DefaultOptions(dir).WithReadOnly(true).WithLogger(nil).WithExternalMagic(version))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	txn := db.NewTransactionAt(db.MaxVersion(), false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		rows++
		bytes += item.KeySize() + item.ValueSize()
	}
	return rows, bytes, nil
}

// format is the version that the store says it has, with which its engine was
// opened.
func format(dir string) (uint16, error) {
	text, err := os.ReadFile(filepath.Join(dir, "FORMAT"))
	if err != nil {
		return 0, err
	}
	words := strings.Fields(string(text))
	version, err := strconv.ParseUint(words[len(words)-1], 10, 16)
	return uint16(version), err
}
