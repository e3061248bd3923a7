package persistence

import "hash/crc32"

// treap is a sorted map from keys to values that is never changed: put and
// delete return a new one that shares most nodes with the old one. A snapshot
// is therefore the root itself. nil is the empty map.
//
// A node's priority is a hash of its key, so that the shape depends on the
// content alone and the tree is balanced with high probability.
type treap struct {
	key, value  string
	left, right *treap
	// Invariant: priority >= that of both children.
	priority uint32
}

// put returns t with value under key.
func (t *treap) put(key, value string) *treap {
	return t.insert(&treap{key: key, value: value, priority: crc32.Checksum([]byte(key), castagnoli())})
}

// insert places node, which it changes, where its priority belongs. A node with
// its key has its priority and is met on the way.
func (t *treap) insert(node *treap) *treap {
	switch {
	case t == nil:
		return node
	case t.key == node.key:
		node.left, node.right = t.left, t.right
		return node
	case t.priority < node.priority:
		node.left, _, node.right = t.split(node.key)
		return node
	case node.key < t.key:
		return t.with(t.left.insert(node), t.right)
	default:
		return t.with(t.left, t.right.insert(node))
	}
}

// delete returns t without key.
func (t *treap) delete(key string) *treap {
	left, found, right := t.split(key)
	if found == nil {
		return t
	}
	return merge(left, right)
}

// split returns the parts of t below and above key and the node with key.
func (t *treap) split(key string) (below, found, above *treap) {
	switch {
	case t == nil:
		return nil, nil, nil
	case key == t.key:
		return t.left, t, t.right
	case key < t.key:
		below, found, above = t.left.split(key)
		return below, found, t.with(above, t.right)
	default:
		below, found, above = t.right.split(key)
		return t.with(t.left, below), found, above
	}
}

// merge joins two maps. Every key of a is below every key of b.
func merge(a, b *treap) *treap {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority >= b.priority:
		return a.with(a.left, merge(a.right, b))
	default:
		return b.with(merge(a, b.left), b.right)
	}
}

func (t *treap) with(left, right *treap) *treap {
	return &treap{key: t.key, value: t.value, left: left, right: right, priority: t.priority}
}

func (t *treap) find(key string) *treap {
	for t != nil && t.key != key {
		if key < t.key {
			t = t.left
		} else {
			t = t.right
		}
	}
	return t
}

// ascend calls fn for the nodes of [from, to) in order until it returns false.
func (t *treap) ascend(from, to string, fn func(*treap) bool) bool {
	if t == nil {
		return true
	}
	if from < t.key && !t.left.ascend(from, to, fn) {
		return false
	}
	if from <= t.key && t.key < to && !fn(t) {
		return false
	}
	return t.key >= to || t.right.ascend(from, to, fn)
}
