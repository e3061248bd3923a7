package persistence

// memoryWalk walks a treap, which is a snapshot by itself. What was removed has
// left it.
type memoryWalk struct {
	view     *memoryView
	from, to string
	order    Order
	node     *treap
	// current is the key of node.
	current []byte
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
		w.node = w.view.root.after(w.node.key)
	}
	if w.node == nil || w.node.key < w.from || w.node.key >= w.to {
		return false, nil
	}
	w.current = append(w.current[:0], w.node.key...)
	return true, nil
}

func (w *memoryWalk) key() []byte { return w.current }

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

// after returns the node with the lowest key above key, nil when there is none.
func (t *treap) after(key string) (found *treap) {
	for t != nil {
		if t.key <= key {
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
