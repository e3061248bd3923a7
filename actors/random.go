package actors

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// random hands out random numbers from one source. It may be used
// concurrently. A source that fails is a broken invariant: an id that repeats
// would mix up invocations.
type random struct {
	mu     sync.Mutex
	source io.Reader
	buf    [1024]byte
	left   int // bytes at the end of buf that have not been used
}

func newRandom(source io.Reader) *random { return &random{source: source} }

func (r *random) read(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(p) > 0 {
		if r.left == 0 {
			if _, err := io.ReadFull(r.source, r.buf[:]); err != nil {
				panic(fmt.Sprintf("actors: read from Options.Random: %v", err))
			}
			r.left = len(r.buf)
		}
		n := copy(p, r.buf[len(r.buf)-r.left:])
		clear(r.buf[len(r.buf)-r.left:][:n]) // ids that are in use are not kept here
		r.left -= n
		p = p[n:]
	}
}

// id returns what makes an invocation id: a bucket, and bytes that are not all
// zero.
func (r *random) id() (bucket uint16, uuid [16]byte) {
	var b [18]byte
	for uuid == ([16]byte{}) {
		r.read(b[:])
		uuid = [16]byte(b[2:])
	}
	return binary.LittleEndian.Uint16(b[:]), uuid
}

// seed returns 64 random bits.
func (r *random) seed() uint64 {
	var b [8]byte
	r.read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// jitter returns a number in [0,1).
func (r *random) jitter() float64 { return float64(r.seed()>>11) / (1 << 53) }
