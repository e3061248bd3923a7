package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
)

// top is the beginning of a CPU profile of the runtime.
type top struct {
	Work    string `json:"work"`
	Clients int    `json:"clients"`
	File    string `json:"file"`
	Text    string `json:"text"`
}

// topLines is how many functions of a profile are shown.
const topLines = 15

// profileAll takes a CPU profile of the runtime at every place of the plan. These
// runs come after those that count, for a profile costs some of what it shows.
func (c *config) profileAll(ctx context.Context) ([]top, error) {
	if err := os.MkdirAll(c.profiles, 0o755); err != nil {
		return nil, err
	}
	var tops []top
	for _, w := range c.plan {
		for clients := range strings.SplitSeq(w.clients, ",") {
			t, err := c.profile(ctx, w.name, clients)
			if err != nil {
				return nil, fmt.Errorf("profile of %s with %s clients: %w", w.name, clients, err)
			}
			tops = append(tops, t)
		}
	}
	return tops, nil
}

func (c *config) profile(ctx context.Context, work, clients string) (t top, err error) {
	fmt.Fprintf(os.Stderr, "profile of %s with %s clients\n", work, clients)
	t = top{Work: work, File: filepath.Join(c.profiles, work+"-c"+clients+".pprof")}
	if _, err := fmt.Sscan(clients, &t.Clients); err != nil {
		return t, err
	}
	if _, err := c.peers(ctx, work, clients, target{peer: "ours"}, "-profile", t.File); err != nil {
		return t, err
	}
	out, err := child.Command(ctx, "go", "tool", "pprof", "-top", "-nodecount", fmt.Sprint(topLines), t.File).Output()
	if err != nil {
		return t, fmt.Errorf("go tool pprof: %w", err)
	}
	t.Text = trimTop(string(out))
	return t, nil
}

// trimTop leaves the lines from the duration on.
func trimTop(out string) string {
	if i := strings.Index(out, "Duration:"); i >= 0 {
		out = out[i:]
	}
	return strings.TrimSpace(out)
}

// renderProfiles shows where the time goes at each place with a goal that was
// missed.
func (r *report) renderProfiles(verdicts []verdict) string {
	var s strings.Builder
	for _, t := range r.Tops {
		at, misses := place{t.Work, t.Clients}, []string(nil)
		for _, v := range verdicts {
			if v.at == at && strings.HasPrefix(string(v.judged), string(missed)) {
				misses = append(misses, v.what+" "+v.goal)
			}
		}
		if len(misses) > 0 {
			fmt.Fprintf(&s, "\n%s at concurrency %d misses %s. CPU profile %s:\n\n```\n%s\n```\n",
				t.Work, t.Clients, strings.Join(misses, "; "), filepath.Base(t.File), t.Text)
		}
	}
	return s.String()
}
