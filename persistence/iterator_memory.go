package persistence

// memoryWalk walks a treap, which is a snapshot by itself. What was removed has
// left it.
type memoryWalk struct {
	view     *memoryView
	from, to string
	order    Order
	node     *treap
}

func (v *memoryView) walk(from, to []byte, order Order) walk {
	return &memoryWalk{view: v, from: string(from), to: string(to), order: order}
}

func (w *memoryWalk) next() (bool, error) {
	if err := w.view.check(); err != nil {
		return false, err
	}
	switch {
	case w.order == Descending && w.node == nil:
		w.node = w.view.root.before(w.to)
	case w.order == Descending:
		w.node = w.view.root.before(w.node.key)
	case w.node == nil:
		w.node = w.view.root.from(w.from)
	default:
		w.node = w.view.root.from(w.node.key + "\x00")
	}
	return w.node != nil && w.from <= w.node.key && w.node.key < w.to, nil
}

func (w *memoryWalk) key() []byte { return []byte(w.node.key) }

func (w *memoryWalk) value() ([]byte, error) { return []byte(w.node.value), w.view.check() }

func (w *memoryWalk) close() {}

// from returns the node with the lowest key that is not below key, nil when
// there is none.
func (t *treap) from(key string) (found *treap) {
	for t != nil {
		if t.key < key {
			t = t.right
		} else {
			found, t = t, t.left
		}
	}
	return found
}

// before returns the node with the highest key below key, nil when there is
// none.
func (t *treap) before(key string) (found *treap) {
	for t != nil {
		if t.key < key {
			found, t = t, t.right
		} else {
			t = t.left
		}
	}
	return found
}
