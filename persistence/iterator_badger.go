package persistence

import (
	"bytes"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// badgerWalk walks the newest versions of keys.
//
// The plain iterator of the engine hides what was removed: one call of it runs
// over every tombstone in its way, which takes half a second after a million
// pops of a queue. So the walk asks for all versions and picks by itself. The
// engine keeps the versions of a key from the newest to the oldest; ascending,
// the first one is therefore the one that counts, and descending it is the last
// one, which is known only when the engine stands at the next key: it is copied
// on the way.
//
// A key that is written all the time has thousands of versions until the engine
// compacts. After maxVersions of them the walk jumps behind the key instead.
type badgerWalk struct {
	view     *badgerView
	it       *badger.Iterator
	from, to []byte
	order    Order
	// begun says that the engine has been sent to the first key.
	begun bool
	// current is the present key, content and removed what is there. Content is
	// filled by descending walks only.
	current, content []byte
	removed          bool
}

// maxVersions is how many versions of a key a walk steps over.
const maxVersions = 16

func (v *badgerView) walk(from, to []byte, order Order) walk {
	return &badgerWalk{view: v, from: from, to: to, order: order, it: v.txn.NewIterator(badger.IteratorOptions{
		// Both ends are of one table, and the prefix picks the files to look at.
		Prefix: from[:keyHeader], Reverse: order == Descending, AllVersions: true,
	})}
}

func (w *badgerWalk) key() []byte { return w.current }

func (w *badgerWalk) close() { w.it.Close() }

func (w *badgerWalk) next() (bool, error) {
	if err := w.view.check(); err != nil {
		return false, err
	}
	if w.order == Ascending {
		return w.ascend(), w.view.check()
	}
	more, err := w.descend()
	if err == nil {
		err = w.view.check()
	}
	return more, err
}

func (w *badgerWalk) value() ([]byte, error) {
	if err := w.view.check(); err != nil || w.removed {
		return nil, err
	}
	if w.order == Descending {
		return slices.Clone(w.content), nil
	}
	return w.it.Item().ValueCopy(nil)
}

// ascend leaves the engine at the newest version of the next key.
func (w *badgerWalk) ascend() bool {
	if !w.begun {
		w.begun = true
		w.it.Seek(w.from)
	} else {
		w.skip(above)
	}
	if !w.it.Valid() {
		return false
	}
	item := w.it.Item()
	w.current = append(w.current[:0], item.Key()...)
	w.removed = item.IsDeletedOrExpired()
	return bytes.Compare(w.current, w.to) < 0
}

// skip steps over the versions of the present key; behind returns the key to
// jump to when there are too many.
func (w *badgerWalk) skip(behind func(key []byte) []byte) {
	for range maxVersions {
		if !w.it.Valid() || !bytes.Equal(w.it.Item().Key(), w.current) {
			return
		}
		w.it.Next()
	}
	if w.it.Valid() && bytes.Equal(w.it.Item().Key(), w.current) {
		w.it.Seek(behind(w.current))
	}
}

// descend leaves the engine behind the next key, and its newest version in
// content.
func (w *badgerWalk) descend() (bool, error) {
	if !w.begun {
		w.begun = true
		w.it.Seek(w.to)
		// The end is not part of the range.
		w.current = append(w.current[:0], w.to...)
		w.skip(underneath)
	}
	if !w.it.Valid() {
		return false, nil
	}
	w.current = append(w.current[:0], w.it.Item().Key()...)
	if bytes.Compare(w.current, w.from) < 0 {
		return false, nil
	}
	for range maxVersions {
		if err := w.keep(w.it.Item()); err != nil {
			return false, err
		}
		w.it.Next()
		if !w.it.Valid() || !bytes.Equal(w.it.Item().Key(), w.current) {
			return true, nil
		}
	}
	return true, w.jump()
}

// keep copies a version, which counts unless a newer one comes.
func (w *badgerWalk) keep(item *badger.Item) error {
	w.removed = item.IsDeletedOrExpired()
	w.content = w.content[:0]
	if w.removed {
		return nil
	}
	return item.Value(func(value []byte) error {
		w.content = append(w.content, value...)
		return nil
	})
}

// jump reads the newest version of the present key and sends the engine behind
// the key.
func (w *badgerWalk) jump() error {
	value, err := w.view.get(w.current)
	if err != nil {
		return err
	}
	w.removed, w.content = value == nil, append(w.content[:0], value...)
	w.it.Seek(underneath(w.current))
	return nil
}

// above returns the lowest key above key.
func above(key []byte) []byte { return append(key[:len(key):len(key)], 0) }

// underneath returns a key below key to which a descending walk may jump: no key that
// the engine takes lies between the two. Key must not be empty.
func underneath(key []byte) []byte {
	last := len(key) - 1
	if key[last] == 0 {
		return slices.Clone(key[:last])
	}
	b := append(make([]byte, 0, maxKeyBytes), key...)
	b[last]--
	for len(b) < maxKeyBytes {
		b = append(b, 0xFF)
	}
	return b
}
