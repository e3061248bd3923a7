package httpapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// damage is what is done to one file of a copy of a directory.
type damage struct {
	r *rand.Rand
	// dir is the copy, file the name in it.
	dir, file, class string
	// kind is bitFlipped, fileCut or fileRemoved. what says it in words.
	kind fact
	what string
}

// draw chooses a file and what is done to it. Each damage has random numbers of its own:
// how many of them are used depends on what is in the files.
func (c *corruption) draw(n uint64) *damage {
	c.t.Helper()
	d := &damage{r: rand.New(rand.NewPCG(c.seed, n)), dir: c.copyOf(c.bases[n%uint64(len(c.bases))])}
	kinds := slices.Concat(slices.Repeat([]fact{bitFlipped}, 15), slices.Repeat([]fact{fileCut}, 5), slices.Repeat([]fact{fileRemoved}, 4))
	d.kind = kinds[d.r.IntN(len(kinds))]
	list, err := os.ReadDir(d.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	classes := map[string][]string{}
	for _, f := range list {
		class := classOf(f.Name())
		if info, err := f.Info(); err == nil && info.Size() > 0 {
			classes[class] = append(classes[class], f.Name())
		}
	}
	var shared []string
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		shared = append(shared, slices.Repeat([]string{class}, shares(class))...)
	}
	d.class = shared[d.r.IntN(len(shared))]
	d.file = classes[d.class][d.r.IntN(len(classes[d.class]))]
	return d
}

func (d *damage) remove() { _ = os.RemoveAll(d.dir) } // the whole of it goes at the end

// classOf is the name of a file, or what is common to those that are numbered.
func classOf(name string) string {
	if ext := filepath.Ext(name); ext != "" {
		return "*" + ext
	}
	return name
}

// shares says how often a class of files is damaged; others count one.
func shares(class string) int {
	switch class {
	case "*.mem", "*.sst":
		return 6
	case "MANIFEST":
		return 3
	default:
		return 1
	}
}

// harm flips one bit of the file, cuts it, or removes it, and counts what it sees of that.
func (c *corruption) harm(d *damage) {
	c.t.Helper()
	path := filepath.Join(d.dir, d.file)
	before, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	at := d.place(before)
	switch d.kind {
	case fileRemoved:
		d.what = d.file + " is removed"
		err = os.Remove(path)
	case fileCut:
		d.what = fmt.Sprintf("%s of %d bytes is cut at %d", d.file, len(before), at)
		err = os.Truncate(path, int64(at))
	default:
		bit := byte(1) << d.r.IntN(8)
		d.what = fmt.Sprintf("in %s of %d bytes bit %02x at %d has flipped", d.file, len(before), bit, at)
		err = patch(path, int64(at), before[at]^bit)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	done, err := seen(path, before, at)
	if err != nil || done != d.kind {
		c.t.Fatalf("%s: the file says that it was %s, %v", d.what, done, err)
	}
	c.count(d, done)
}

// place is where a file is damaged: mostly before the zeros at its end.
func (d *damage) place(content []byte) int {
	used := max(1, len(bytes.TrimRight(content, "\x00")))
	if d.r.IntN(10) == 0 {
		used = len(content)
	}
	at := int(d.r.Float64() * float64(used))
	for d.kind == fileCut && at < len(content)-1 && between(content[:at]) {
		at++
	}
	return at
}

// seen says what was done to a file, by what it was before.
func seen(path string, before []byte, at int) (fact, error) {
	after, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fileRemoved, nil
	case err != nil:
		return 0, err
	case len(after) < len(before) && bytes.Equal(after, before[:len(after)]):
		return fileCut, nil
	case len(after) != len(before) || bits.OnesCount8(after[at]^before[at]) != 1:
		return 0, errors.New("it is neither as before nor different by one bit")
	}
	after[at] = before[at]
	if !bytes.Equal(after, before) {
		return 0, errors.New("more than one bit has flipped")
	}
	return bitFlipped, nil
}

// named reports whether a text names the file, elsewhere than in the path of its directory.
func (d *damage) named(text string) bool {
	words := strings.FieldsFunc(strings.ReplaceAll(text, d.dir, ""), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	})
	return slices.Contains(words, d.file)
}

// between reports whether a log that is cut here ends with a whole transaction:
// behind the mark come a timestamp, its text and a checksum.
func between(data []byte) bool {
	const mark, behind = "!badger!txn", 8 + 4
	i := strings.LastIndex(string(data[max(0, len(data)-64):]), mark)
	if i < 0 {
		return false
	}
	rest := data[max(0, len(data)-64)+i+len(mark):]
	return len(rest) > behind && len(rest) <= behind+20
}

func patch(path string, at int64, b byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{b}, at)
	return errors.Join(err, f.Close())
}

// copyOf copies a directory. What is zero at the end of a file takes no space.
func (c *corruption) copyOf(base string) string {
	c.t.Helper()
	dir, err := os.MkdirTemp(c.t.TempDir(), "copy")
	if err != nil {
		c.t.Fatal(err)
	}
	list, err := os.ReadDir(base)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range list {
		content, err := os.ReadFile(filepath.Join(base, f.Name()))
		if err == nil {
			path := filepath.Join(dir, f.Name())
			err = errors.Join(os.WriteFile(path, []byte(strings.TrimRight(string(content), "\x00")), 0o600), os.Truncate(path, int64(len(content))))
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return dir
}
