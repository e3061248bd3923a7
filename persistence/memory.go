package persistence

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Memory is the store without a disk. It starts no goroutine, reads no clock
// and can be crashed, which makes it the store of tests and simulations. What
// it acknowledged survives Crash and nothing else: a process that ends takes a
// Memory with it.
//
// Its snapshots never expire.
type Memory struct {
	log   commitLog
	pages *memoryPages
	// counted is around pages.
	counted counted
	hooks   atomic.Pointer[Hooks]
	// backingUp is held while a backup is taken.
	backingUp sync.Mutex
	// clean says that Close ended the store.
	closed, clean atomic.Bool
}

// Hooks let a test stand at the commits of a Memory. The zero value does
// nothing. A hook may block, which holds the commit.
type Hooks struct {
	// BeforeCommit runs before anything is written. Its error fails the commit,
	// and the store with it, as a disk would: nothing of the group is kept.
	BeforeCommit func(group []*Batch, marks Marks) error
	// AfterCommit runs when the group is durable and Commit has not returned.
	// Its error fails the commit, and the store, although the group is kept.
	AfterCommit func(group []*Batch, marks Marks) error
	// Health replaces the reading of the limits.
	Health func() Health
}

// NewMemory returns an empty Memory.
func NewMemory() Store { return openMemory(nil, true) }

func openMemory(root *treap, clean bool) *Memory {
	m := &Memory{pages: &memoryPages{root: root}}
	m.hooks.Store(&Hooks{})
	m.counted.engine = m.pages
	m.log.engine = &m.counted
	err := m.log.load()
	if err == nil {
		err = m.log.start(clean)
	}
	if err != nil {
		// Only damaged rows can bring this about, and memory has none.
		panic(fmt.Sprintf("persistence: memory store with %d boots does not open: %v", m.log.meta.boot, err))
	}
	return m
}

// SetHooks replaces the hooks. It may be called at any time; a commit that is
// under way keeps those it began with.
func (m *Memory) SetHooks(h Hooks) { m.hooks.Store(&h) }

// Crash ends the store as the end of the process would, and returns what the
// next process would open: a store with everything that was committed. After
// Close it is a clean reopening. The old store fails every call from now on; a
// commit that a hook holds fails when it is let go.
func (m *Memory) Crash() *Memory {
	m.closed.Store(true)
	return openMemory(m.pages.freeze(), m.clean.Load())
}

// Info implements Store.
func (m *Memory) Info() Info { return m.log.info }

// Encode implements Store.
func (m *Memory) Encode(seq ident.Seq, writes []machine.Write) (*Batch, error) {
	return m.log.encodings.encode(seq, writes)
}

// Commit implements Store.
func (m *Memory) Commit(group []*Batch, marks Marks) error {
	if m.closed.Load() {
		return fmt.Errorf("commit: %w", ErrClosed)
	}
	hooks := m.hooks.Load()
	if hooks.BeforeCommit != nil {
		if err := hooks.BeforeCommit(group, marks); err != nil {
			return m.fail(err)
		}
	}
	if err := m.log.commit(group, marks); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if hooks.AfterCommit != nil {
		if err := hooks.AfterCommit(group, marks); err != nil {
			return m.fail(err)
		}
	}
	return nil
}

func (m *Memory) fail(err error) error {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	m.log.fail(err)
	return fmt.Errorf("commit: %w", err)
}

// Read implements Store.
func (m *Memory) Read(fn func(Reader) error) error {
	if m.closed.Load() {
		return fmt.Errorf("read: %w", ErrClosed)
	}
	r := &reader{view: &memoryView{root: m.pages.snapshot(), closed: &m.closed}}
	defer r.close()
	return fn(r)
}

// Health implements Store.
func (m *Memory) Health() Health {
	if h := m.hooks.Load(); h.Health != nil {
		return h.Health()
	}
	return Health{}
}

// Tidy implements Store.
func (m *Memory) Tidy() error {
	if m.closed.Load() {
		return fmt.Errorf("tidy: %w", ErrClosed)
	}
	if _, err := m.log.tidy(); err != nil {
		return fmt.Errorf("tidy: %w", err)
	}
	return nil
}

// Close implements Store.
func (m *Memory) Close() error {
	if healthy := m.log.close(); !m.closed.Swap(true) {
		m.clean.Store(healthy)
	}
	return nil
}

// memoryPages is the engine of a Memory.
type memoryPages struct {
	mu   sync.Mutex
	root *treap
	// frozen makes writes fail.
	frozen bool
}

func (p *memoryPages) snapshot() *treap {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.root
}

func (p *memoryPages) freeze() *treap {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = true
	return p.root
}

func (p *memoryPages) write(_ uint64, entries []entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		return ErrClosed
	}
	root := p.root
	for i := range entries {
		if e := &entries[i]; e.value == nil {
			root = root.delete(string(e.key))
		} else {
			root = root.put(string(e.key), string(e.value))
		}
	}
	p.root = root
	return nil
}

func (p *memoryPages) newest(key []byte) ([]byte, error) {
	return (&memoryView{root: p.snapshot()}).get(key)
}

func (p *memoryPages) scan(from, to []byte, limit int, fn func(key, value []byte) error) error {
	return (&memoryView{root: p.snapshot()}).scan(from, to, limit, fn)
}

// memoryView is one moment of a Memory.
type memoryView struct {
	root *treap
	// closed is nil inside the store.
	closed *atomic.Bool
}

func (v *memoryView) check() error {
	if v.closed != nil && v.closed.Load() {
		return ErrClosed
	}
	return nil
}

func (v *memoryView) get(key []byte) ([]byte, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	if node := v.root.find(string(key)); node != nil {
		return []byte(node.value), nil
	}
	return nil, nil
}

func (v *memoryView) scan(from, to []byte, limit int, fn func(key, value []byte) error) error {
	if err := v.check(); err != nil {
		return err
	}
	var err error
	v.root.ascend(string(from), string(to), func(n *treap) bool {
		err = fn([]byte(n.key), []byte(n.value))
		limit--
		return err == nil && limit > 0
	})
	return err
}

func (v *memoryView) first(from, to []byte) ([]byte, error) {
	if node := v.root.from(string(from)); node != nil && node.key < string(to) {
		return []byte(node.key), v.check()
	}
	return nil, v.check()
}
