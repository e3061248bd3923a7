package persistence

import "fmt"

// meta is the one row that every transaction writes: it says how far the store
// had come, so that what is missing at its end is noticed.
type meta struct {
	// ts is the timestamp of the transaction that wrote the row. Timestamps
	// have no gaps.
	ts    uint64
	boot  uint32
	marks Marks
}

func (m *meta) encode() []byte {
	e := encoder{buf: make([]byte, valueHeader, 48)}
	e.u64(m.ts)
	e.n32(m.boot)
	e.int(m.marks.Timers)
	e.int(m.marks.Clock)
	seal(metaKey(), e.buf, 0)
	return e.buf
}

func decodeMeta(value []byte) (meta, error) {
	_, body, err := unseal(metaKey(), value)
	if err != nil {
		return meta{}, err
	}
	d := decoder{b: body}
	m := meta{ts: d.u64(), boot: d.n32(), marks: Marks{Timers: d.int(), Clock: d.int()}}
	if d.bad {
		return meta{}, fmt.Errorf("the meta row is malformed: %w", ErrCorrupt)
	}
	return m, nil
}
