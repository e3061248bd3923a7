package actors_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
)

// report judges the kill loop and prints what it has done, the verdict first.
func (l *killLoop) report(seed uint64) {
	r := l.verdict("kill loop")
	r.line("kills", "%d: %d at points, %d at random moments; seed %d", l.byPoint+l.byClock, l.byPoint, l.byClock, seed)
	l.work(r)
	r.print()
}

// report judges the power cuts and prints what they were, the verdict first.
func (l *powerLoop) report(seed uint64) {
	if l.marks > 0 && l.forgotten == 0 {
		l.t.Errorf("of %d cuts none has taken what was not synced", l.marks)
	}
	log, err := os.ReadFile(l.log.Name())
	if err != nil {
		l.t.Error(err)
	}
	r := l.verdict("power cuts")
	r.line("cuts", "%d: %d at points, %d before a start was ready, %d soon after a kill, the others at random moments; seed %d", l.cuts, l.byPoint, l.atStarts, l.afterKills, seed)
	r.line("proof", "%d of %d took a file that was not synced, none took one that was; %d left a torn transaction, which the next start dropped", l.forgotten, l.marks, bytes.Count(log, []byte("a crash has cut short")))
	l.work(r)
	r.print()
}

// wrong is what clients and handlers complain of.
func (l *killLoop) wrong() []string { return slices.Concat(l.clients.wrong, l.world.wrong) }

// accuse makes the test fail for everything that must not happen.
func (l *killLoop) accuse() {
	for name, list := range map[string][]string{"double effects": l.world.doubles, "overlaps": l.world.overlaps, "lost or wrong": l.wrong()} {
		if len(list) > 0 {
			l.t.Errorf("%s: %d, first: %s", name, len(list), strings.Join(list[:min(5, len(list))], "; "))
		}
	}
}

// verdict judges, and begins a report. A start that needed a hand, and a directory with
// damage or with rows that do not fit, have ended the test before.
func (l *killLoop) verdict(name string) *report {
	l.accuse()
	for _, p := range actors.Points() {
		if l.aimed >= 3*len(actors.Points()) && l.hits[p.String()] == 0 {
			l.t.Errorf("point %s was never hit", p)
		}
	}
	word := "good"
	if l.t.Failed() {
		word = "FAILED"
	}
	return &report{text: fmt.Sprintf("%s: %s: %d lost or wrong, %d double effects, %d overlaps; %d starts without a hand, %d directories found whole\n",
		name, word, len(l.wrong()), len(l.world.doubles), len(l.world.overlaps), l.restarts, l.examined)}
}

// work says what clients and handlers have done.
func (l *killLoop) work(r *report) {
	w, c := l.world, l.clients
	r.line("work", "%d acknowledged, %d effects of steps, %d of them repeated before the next step or the acknowledgement", c.acked, w.effects, w.repeated)
	r.figures("of it", c.did)
	r.line("starts", "%d came to answer, the slowest after %v; %d ended before, as they were to", l.answered, l.slowest.Round(time.Millisecond), l.restarts-l.answered)
	r.line("checks", "%d directories were examined, none of them damaged or torn; the slowest took %v", l.examined, l.examining.Round(time.Millisecond))
	r.figures("points", l.hits)
}

// report is a text of short lines, each with a label.
type report struct{ text string }

func (r *report) line(label, format string, args ...any) {
	r.text += fmt.Sprintf("  %-7s %s\n", label, fmt.Sprintf(format, args...))
}

// figures adds numbers by their names, several to a line.
func (r *report) figures(label string, of map[string]int) {
	const width = 100
	line := ""
	for _, name := range slices.Sorted(maps.Keys(of)) {
		next := fmt.Sprintf("%s %d", name, of[name])
		switch {
		case line == "":
			line = next
		case len(line)+len(next) > width:
			r.line(label, "%s,", line)
			label, line = "", next
		default:
			line += ", " + next
		}
	}
	if line != "" {
		r.line(label, "%s", line)
	}
}

func (r *report) print() { fmt.Print(r.text) }

func TestAReportHasShortLines(t *testing.T) {
	t.Parallel()
	r := report{text: "kill loop: good\n"}
	r.line("work", "%d acknowledged", 7)
	r.figures("points", map[string]int{})
	of := map[string]int{}
	for n := range 12 {
		of[fmt.Sprintf("point %02d", n)] = n
	}
	r.figures("points", of)
	const want = `kill loop: good
  work    7 acknowledged
  points  point 00 0, point 01 1, point 02 2, point 03 3, point 04 4, point 05 5, point 06 6, point 07 7,
          point 08 8, point 09 9, point 10 10, point 11 11
`
	if r.text != want {
		t.Errorf("got\n%swant\n%s", r.text, want)
	}
}
