package httpapi

import (
	"encoding/json"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// orderedPairs is a JSON object whose members keep their order.
type orderedPairs []journal.Header

// pairsOf returns nil for no headers.
func pairsOf(headers []journal.Header) *orderedPairs {
	if len(headers) == 0 {
		return nil
	}
	p := orderedPairs(headers)
	return &p
}

// MarshalJSON writes the object.
func (p orderedPairs) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, h := range p {
		if i > 0 {
			b = append(b, ',')
		}
		for j, text := range []string{h.Key, h.Value} {
			quoted, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			if j == 1 {
				b = append(b, ':')
			}
			b = append(b, quoted...)
		}
	}
	return append(b, '}'), nil
}
