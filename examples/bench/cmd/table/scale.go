package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
)

// part is what the scale command prints of one part: figures by name.
type part map[string]any

func (p part) name() string {
	s, _ := p["part"].(string)
	return s
}

func (p part) number(name string) (x float64, known bool) {
	x, known = p[name].(float64)
	return x, known
}

// measureScale runs the scale command, which ends with an error when a request
// of it does.
func (c *config) measureScale(ctx context.Context) ([]part, error) {
	fmt.Fprintf(os.Stderr, "scale with %d invocations\n", c.scale)
	cmd := child.Command(ctx, filepath.Join(c.root, "bin", "scale"), "-n", strconv.Itoa(c.scale),
		"-bin", filepath.Join(c.root, "bin", "bench"), "-data", filepath.Join(c.root, "data", "scale"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("scale with %d invocations: %w", c.scale, err)
	}
	return readParts(string(out))
}

func readParts(out string) ([]part, error) {
	var parts []part
	for text := range strings.Lines(out) {
		var p part
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, fmt.Errorf("output %q of scale: %w", text, err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// judge holds a part against the goal.
func (g scaleGoal) judge(parts []part) (value, bound string, judged judgement) {
	sign, limit := "≥", g.atLeast
	if g.atLeast == 0 {
		sign, limit = "≤", g.atMost
	}
	value, judged = "-", unmeasured
	for _, p := range parts {
		x, known := p.number(g.figure)
		if p.name() != g.part || !known {
			continue
		}
		if g.most != "" {
			limit, known = p.number(g.most)
		}
		x *= g.times
		if value = number(x); !known {
			continue
		}
		judged = missed
		if g.atLeast > 0 && x >= limit || g.atLeast == 0 && x <= limit {
			judged = met
		}
	}
	if bound = sign + " " + number(limit); limit == 0 {
		bound = "-"
	}
	return value, bound, judged
}

// number has the digits that its size deserves.
func number(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}
