package httpapi

import (
	"encoding/json"
	"strings"
)

// members looks for members that come twice, in a JSON object and in one of the
// objects in it. encoding/json takes the last one, or merges them.
type members struct {
	// known are those of the object, and inner is the one whose own are counted.
	known []string
	inner string

	seen map[string]bool
	// within says that the scan is in inner.
	within bool
}

// scan returns the name of a known member that comes twice, and how many members
// inner has. text is valid JSON.
func (m *members) scan(text []byte) (twice string, count int) {
	m.seen = make(map[string]bool, len(m.known))
	depth, start, end := 0, 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			start = i
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			end = i + 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ':':
			switch {
			case depth == 1:
				if twice = m.enter(text[start:end]); twice != "" {
					return twice, count
				}
			case depth == 2 && m.within:
				count++
			}
		}
	}
	return "", count
}

// enter notes a member of the object by its quoted name, and returns the name when it
// was there before. Names are compared as encoding/json does.
func (m *members) enter(quoted []byte) (twice string) {
	var name string
	if json.Unmarshal(quoted, &name) != nil {
		return ""
	}
	m.within = strings.EqualFold(name, m.inner)
	for _, known := range m.known {
		if !strings.EqualFold(name, known) {
			continue
		}
		if m.seen[known] {
			return known
		}
		m.seen[known] = true
	}
	return ""
}
