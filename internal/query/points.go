package query

import (
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// points walks rows whose keys are known, in the order in which they are given.
type points struct {
	reader persistence.Reader
	keys   []machine.Key
	at     int
}

// NewPoints returns an iterator over keys, which it does not sort. A key without
// a row is a step at which Row returns nil.
func NewPoints(r persistence.Reader, keys []machine.Key) persistence.Iterator {
	return &points{reader: r, keys: keys, at: -1}
}

// Next implements Iterator.
func (p *points) Next() bool {
	p.at = min(p.at+1, len(p.keys))
	return p.at < len(p.keys)
}

// Key implements Iterator.
func (p *points) Key() machine.Key { return p.keys[p.at] }

// Row implements Iterator.
func (p *points) Row() (machine.Row, error) { return p.reader.Get(p.keys[p.at]) }

// Err implements Iterator.
func (p *points) Err() error { return nil }

// Close implements Iterator.
func (p *points) Close() {}
