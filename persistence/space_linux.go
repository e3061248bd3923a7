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
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Room{}, err
	}
	room := Room{Bytes: st.Bavail * uint64(st.Bsize), Inodes: st.Ffree, Maps: freeMaps()}
	if st.Files == 0 {
		room.Inodes = unlimited // file systems that make inodes as they need them
	}
	files, err := freeFiles()
	room.Files = files
	return room, err
}

func freeFiles() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return unlimited, nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return unlimited, nil
	}
	return below(limit.Cur, uint64(len(names))), nil
}

// freeMaps returns unlimited where the figures cannot be read, as in a sandbox
// without /proc.
func freeMaps() uint64 {
	text, err := os.ReadFile("/proc/sys/vm/max_map_count")
	if err != nil {
		return unlimited
	}
	limit, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return unlimited
	}
	used, err := countLines("/proc/self/maps")
	if err != nil {
		return unlimited
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
