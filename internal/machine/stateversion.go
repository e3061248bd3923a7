package machine

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
)

// StateDigest computes the version of a state value by value, so that nobody has to
// hold the whole state for it. The version is the SHA-256 of every entry in the
// order of names: the number of the entry from 0 as 8 bytes, 1, the name, 2, the
// value, 3. The zero value is the digest of the empty state. It is for one
// goroutine.
type StateDigest struct {
	sum     hash.Hash
	entries uint64
}

// Add takes the next value. Names come in ascending order of their bytes, each
// once; another order gives another version.
func (d *StateDigest) Add(name string, value []byte) {
	if d.sum == nil {
		d.sum = sha256.New()
	}
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], d.entries)
	d.entries++
	d.sum.Write(number[:])
	d.sum.Write([]byte{1})
	d.sum.Write([]byte(name))
	d.sum.Write([]byte{2})
	d.sum.Write(value)
	d.sum.Write([]byte{3})
}

// Version returns the version of what was added: base64url without padding. More
// may be added after it.
func (d *StateDigest) Version() string {
	if d.sum == nil {
		d.sum = sha256.New()
	}
	return base64.RawURLEncoding.EncodeToString(d.sum.Sum(nil))
}

// StateVersion returns the version of a state whose values are sorted by name.
func StateVersion(values []StateValue) string {
	var d StateDigest
	for _, v := range values {
		d.Add(v.Name, v.Value)
	}
	return d.Version()
}
