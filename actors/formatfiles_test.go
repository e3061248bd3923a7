package actors_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// sizeRecord says how long a file of a kept directory is. What is cut off are
// zeros: the engine allocates its logs long before it fills them.
const sizeRecord = "DORMOUSE.size"

// ballast is a file of a data directory that holds nothing and is made again.
const ballast = "BALLAST"

// packDir writes the files of a data directory into an archive.
func packDir(dir, archive string) (err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	for _, f := range list {
		if f.Name() == ballast {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		data := bytes.TrimRight(content, "\x00")
		h := &tar.Header{Name: f.Name(), Mode: 0o600, Size: int64(len(data)), Format: tar.FormatPAX,
			PAXRecords: map[string]string{sizeRecord: strconv.Itoa(len(content))}}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(archive, out.Bytes(), 0o600)
}

// unpackDir returns a directory with the files of an archive.
func unpackDir(t *testing.T, archive string) (dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return dir
		}
		if err == nil {
			err = unpackFile(r, h, filepath.Join(dir, filepath.Base(h.Name)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func unpackFile(r io.Reader, h *tar.Header, path string) error {
	size, err := strconv.ParseInt(h.PAXRecords[sizeRecord], 10, 64)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(r)
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		return err
	}
	return os.Truncate(path, size)
}
