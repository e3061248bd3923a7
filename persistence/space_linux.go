package persistence

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// probe asks the operating system what is left.
func probe(dir string) (Room, error) {
	room, err := probeDisk(dir)
	if err != nil {
		return room, err
	}
	room.Maps = freeMaps()
	room.Files, err = freeFiles()
	return room, err
}

// probeDisk measures only what is left of the file system, in a microsecond.
func probeDisk(dir string) (Room, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Room{}, err
	}
	room := Room{Bytes: st.Bavail * uint64(st.Bsize), Inodes: st.Ffree, Files: unlimited, Maps: unlimited}
	if st.Files == 0 {
		room.Inodes = unlimited // file systems that make inodes as they need them
	}
	return room, nil
}

func freeFiles() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return unmeasured(err), nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return unlimited, nil
	}
	return below(limit.Cur, uint64(len(names))), nil
}

// unmeasured returns what is left of something whose figures cannot be read: nothing,
// when that is for lack of a descriptor, and unlimited otherwise, as in a sandbox without
// /proc.
func unmeasured(err error) uint64 {
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return 0
	}
	return unlimited
}

func freeMaps() uint64 {
	text, err := os.ReadFile("/proc/sys/vm/max_map_count")
	if err != nil {
		return unmeasured(err)
	}
	limit, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return unlimited
	}
	used, err := countLines("/proc/self/maps")
	if err != nil {
		return unmeasured(err)
	}
	return below(limit, used)
}

func countLines(path string) (n uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 16<<10)
	for {
		got, err := f.Read(buf)
		n += uint64(bytes.Count(buf[:got], []byte{'\n'}))
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func below(limit, used uint64) uint64 {
	if used > limit {
		return 0
	}
	return limit - used
}

// allocate reserves size bytes for f.
func allocate(f *os.File, size int64) error {
	return unix.Fallocate(int(f.Fd()), 0, 0, size)
}
