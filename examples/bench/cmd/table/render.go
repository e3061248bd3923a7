package main

import (
	"fmt"
	"slices"
	"strings"
)

// report is everything that is printed, and kept to be printed again.
type report struct {
	Machine string `json:"machine"`
	// How says how it was measured.
	How   string `json:"how"`
	Lines []line `json:"lines"`
	Parts []part `json:"parts,omitempty"`
	// Scale is how many invocations the parts were measured with.
	Scale int `json:"scale,omitempty"`
	// Tops are the first lines of CPU profiles by place.
	Tops []top `json:"tops,omitempty"`
}

// markdown is all tables.
func (r *report) markdown() string {
	rows := withPublished(summarize(r.Lines))
	verdicts := judge(rows)
	var s strings.Builder
	fmt.Fprintf(&s, "%s.\n\n%s\n", r.Machine, r.How)
	if len(rows) > 0 {
		s.WriteString("\n" + renderGoals(verdicts))
	}
	if len(r.Parts) > 0 {
		s.WriteString("\n" + r.renderScale())
	}
	s.WriteString(renderMarks(rows))
	if len(rows) > 0 {
		s.WriteString("\n" + renderFigures(rows))
	}
	s.WriteString(r.renderProfiles(verdicts))
	return s.String()
}

// renderMarks says what the marks mean that are there.
func renderMarks(rows []row) (text string) {
	if slices.ContainsFunc(rows, func(r row) bool { return r.published }) {
		text += fmt.Sprintf("\n%s published, not measured here: %s.\n", mark, source)
	}
	if slices.ContainsFunc(rows, row.disturbed) {
		text += fmt.Sprintf("\n%s the machine was busy with something else, and there were no two quiet runs to take instead.\n", markBusy)
	}
	return text
}

// table writes a Markdown table. The first left columns are of text.
func table(left int, head []string, rows [][]string) string {
	var s strings.Builder
	s.WriteString("| " + strings.Join(head, " | ") + " |\n|")
	for i := range head {
		if i < left {
			s.WriteString("---|")
		} else {
			s.WriteString("--:|")
		}
	}
	s.WriteString("\n")
	for _, cells := range rows {
		s.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return s.String()
}

func renderGoals(verdicts []verdict) string {
	var rows [][]string
	for _, v := range verdicts {
		rows = append(rows, []string{v.at.work, fmt.Sprint(v.at.clients), v.what, v.ours, v.ceiling, v.restate, v.value, v.goal, string(v.judged)})
	}
	return table(1, []string{"work", "C", "figure", "Dormouse", "ceiling", "Restate", "ratio", "goal", "verdict"}, rows)
}

func (r *report) renderScale() string {
	var rows [][]string
	for _, g := range scaleGoals() {
		value, bound, judged := g.judge(r.Parts)
		rows = append(rows, []string{g.part, g.what, value, bound, string(judged)})
	}
	text := table(2, []string{"scale", "figure", "Dormouse", "goal", "verdict"}, rows)
	if r.Scale != scaleInvocations {
		text += fmt.Sprintf("\nWith %d invocations; the goals are for %d.\n", r.Scale, scaleInvocations)
	}
	return text
}

// renderFigures writes everything that was measured of the workloads.
func renderFigures(rows []row) string {
	plain := func(format string, of func(line) *float64) figure { return figure{format: format, of: of} }
	rest := []figure{
		p50(), p99(), cpu(), groups(),
		plain("%.1f", func(l line) *float64 { return l.Rows }), plain("%.1f", func(l line) *float64 { return l.StoredRows }),
		plain("%.0f", func(l line) *float64 { return l.Bytes }), plain("%.0f", func(l line) *float64 { return l.StoredBytes }),
		plain("%.0f", line.written),
		plain("%.2f", func(l line) *float64 { return l.SyncsAsked }), plain("%.2f", func(l line) *float64 { return l.Syncs }),
	}
	var cells [][]string
	for _, r := range rows {
		name, runs := r.target, fmt.Sprintf("%d of %d", len(r.runs), r.made)
		if r.published {
			name, runs = name+mark, "-"
		}
		if r.disturbed() {
			runs += " " + markBusy
		}
		line := []string{
			r.work, fmt.Sprint(r.clients), name, runs, r.sample(rate()).text("%.0f"),
			ofCeiling(rows, r, rate()), ofCeiling(rows, r, cpu()),
		}
		for _, f := range rest {
			if s := r.sample(f); len(s) == 0 {
				line = append(line, "-")
			} else {
				line = append(line, fmt.Sprintf(f.format, s.median()))
			}
		}
		cells = append(cells, line)
	}
	return table(1, []string{
		"work", "C", "target", "runs", "ops/s", "of ceiling", "CPU of ceiling", "p50 ms", "p99 ms", "CPU ms/op", "groups/op",
		"rows/op", "stored rows/op", "bytes/op", "stored bytes/op", "written bytes/op", "syncs asked/op", "syncs/op",
	}, cells)
}

// ofCeiling is the median as a part of the ceiling's at the same place.
func ofCeiling(rows []row, r row, f figure) string {
	c, _ := find(rows, r.place, ceiling)
	mine, most := r.sample(f), c.sample(f)
	if len(mine) == 0 || len(most) == 0 || most.median() == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", mine.median()/most.median())
}
