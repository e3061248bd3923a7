package objects

import (
	"bytes"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// Request is what a handler was asked for. It must not be changed; it may be
// read concurrently.
type Request struct {
	// ID is the invocation id.
	ID string
	// Scope and LimitKey belong to flow control, which this runtime does not
	// have; they are empty.
	Scope, LimitKey string
	// IdempotencyKey is empty when the caller gave none.
	IdempotencyKey string
	// Headers are those of the caller.
	Headers StringMap
	// AttemptHeaders is nil in an embedded runtime: an attempt has no request
	// of its own.
	AttemptHeaders map[string][]string
	// Body is the input before decoding.
	Body []byte
}

// StringMap is a map of strings that cannot be changed and that iterates and
// marshals in the order of its keys. It may be read concurrently. A handler may
// return one.
type StringMap interface {
	// Get returns the value of key, or "". Case matters.
	Get(key string) string
	// Iter goes through all entries in the order of the keys.
	Iter() iter.Seq2[string, string]
	// ToMap returns a copy.
	ToMap() map[string]string
	json.Marshaler
}

// orderedMap is a StringMap. Invariant: keys grow strictly.
type orderedMap []journal.Header

// newStringMap returns a StringMap of headers, which it does not keep; the
// first of repeated keys counts.
func newStringMap(headers []journal.Header) StringMap {
	m := slices.Clone(headers)
	slices.SortStableFunc(m, func(a, b journal.Header) int { return strings.Compare(a.Key, b.Key) })
	return orderedMap(slices.CompactFunc(m, func(a, b journal.Header) bool { return a.Key == b.Key }))
}

// headersOf returns the entries of m in the order of the keys, nil when there
// are none.
func headersOf(m map[string]string) []journal.Header {
	if len(m) == 0 {
		return nil
	}
	headers := make([]journal.Header, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		headers = append(headers, journal.Header{Key: key, Value: m[key]})
	}
	return headers
}

func (m orderedMap) Get(key string) string {
	i, found := slices.BinarySearchFunc(m, key, func(h journal.Header, key string) int { return strings.Compare(h.Key, key) })
	if !found {
		return ""
	}
	return m[i].Value
}

func (m orderedMap) Iter() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, h := range m {
			if !yield(h.Key, h.Value) {
				return
			}
		}
	}
}

func (m orderedMap) ToMap() map[string]string { return maps.Collect(m.Iter()) }

func (m orderedMap) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, h := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, s := range []string{h.Key, h.Value} {
			if j > 0 {
				b.WriteByte(':')
			}
			text, err := json.Marshal(s)
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
