package objects

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/google/uuid"
)

// Rand returns random numbers that are the same in every attempt. It shares one
// stream with UUID; the number of draws is part of what a replay compares.
func Rand(ctx Context) *rand.Rand {
	ex := ctx.inner()
	ex.enter(opRand)
	defer ex.leave()
	d := ex.draws()
	if d.rand == nil {
		d.rand = rand.New(d)
	}
	return d.rand
}

// RandSource returns a source that starts where the stream of Rand starts, and
// is independent of it. It may be handed to other code, but not used
// concurrently.
func RandSource(ctx Context) rand.Source {
	ex := ctx.inner()
	ex.enter(opRand)
	defer ex.leave()
	s := newStream(ex.attempt.RandomSeed)
	return &s
}

// UUID returns a random UUID that is the same in every attempt.
func UUID(ctx Context) uuid.UUID {
	ex := ctx.inner()
	ex.enter(opUUID)
	defer ex.leave()
	d := ex.draws()
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], d.draw())
	binary.LittleEndian.PutUint64(id[8:], d.draw())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// draws returns the counted stream of the invocation.
func (ex *execution) draws() *drawn {
	if ex.random == nil {
		ex.random = &drawn{ex: ex, stream: newStream(ex.attempt.RandomSeed)}
	}
	return ex.random
}

// drawn is the invocation's stream, whose draws are counted.
type drawn struct {
	stream
	ex   *execution
	rand *rand.Rand
}

// Uint64 is the operation of a rand.Rand.
func (d *drawn) Uint64() uint64 {
	d.ex.enter(opRand)
	defer d.ex.leave()
	return d.draw()
}

// draw draws within an operation.
func (d *drawn) draw() uint64 {
	d.ex.story.Draw()
	return d.stream.Uint64()
}

// stream is xoshiro256++. Its numbers are part of what users have stored.
type stream [4]uint64

// newStream fills the state with four steps of splitmix64.
func newStream(seed uint64) stream {
	var s stream
	for i := range s {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		s[i] = z ^ z>>31
	}
	return s
}

func (s *stream) Uint64() uint64 {
	result := bits.RotateLeft64(s[0]+s[3], 23) + s[0]
	t := s[1] << 17
	s[2] ^= s[0]
	s[3] ^= s[1]
	s[1] ^= s[2]
	s[0] ^= s[3]
	s[2] ^= t
	s[3] = bits.RotateLeft64(s[3], 45)
	return result
}
