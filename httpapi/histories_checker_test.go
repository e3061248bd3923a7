package httpapi_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// happened is an operation of a history that is written by hand.
func happened(call, end int64, kind, old, new, out string) event {
	return event{order: order{ID: new, Kind: kind, Old: old, New: new}, out: outcome{true, out}, call: call, end: end, accepted: end}
}

// perhaps is a write that nobody was told the outcome of.
func perhaps(call int64, new string) event {
	return event{order: order{ID: new, Kind: kindWrite, New: new}, call: call, end: never, accepted: never}
}

func read(call, end int64, out string) event { return happened(call, end, kindRead, "", "", out) }
func look(call, end int64, out string) event { return happened(call, end, kindLook, "", "", out) }
func wrote(call, end int64, new string) event {
	return happened(call, end, kindWrite, "", new, "written")
}

func appended(call, end int64, new, out string) event {
	return happened(call, end, kindAppend, "", new, out)
}

func TestTheCheckerTellsLinearHistoriesFromOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		linear  bool
		history []event
	}{
		"one after the other":          {true, []event{wrote(1, 2, "a"), read(3, 4, "a"), appended(5, 6, "b", "a b"), look(7, 8, "a b")}},
		"at the same time, either way": {true, []event{wrote(1, 9, "a"), wrote(1, 9, "b"), read(10, 11, "a"), look(2, 3, "")}},
		"a compare-and-set of two":     {true, []event{happened(1, 9, kindCAS, "", "a", "true"), happened(1, 9, kindCAS, "", "b", "false"), read(10, 11, "a")}},
		"perhaps, and late":            {true, []event{perhaps(1, "a"), read(2, 3, ""), wrote(4, 5, "b"), read(6, 7, "b"), read(8, 9, "a")}},
		"perhaps, and never":           {true, []event{perhaps(1, "a"), wrote(4, 5, "b"), read(6, 7, "b")}},

		"a stale read":               {false, []event{wrote(1, 2, "a"), wrote(3, 4, "b"), read(5, 6, "a")}},
		"a stale look":               {false, []event{wrote(1, 2, "a"), wrote(3, 4, "b"), look(5, 6, "a")}},
		"reads that go back":         {false, []event{wrote(1, 20, "a"), look(2, 3, "a"), read(4, 5, "")}},
		"a lost write":               {false, []event{wrote(1, 2, "a"), read(3, 4, "")}},
		"a lost append":              {false, []event{appended(1, 2, "a", " a"), appended(3, 4, "b", " b")}},
		"a double execution":         {false, []event{appended(1, 2, "a", " a"), read(3, 4, " a a")}},
		"an answer of the second":    {false, []event{appended(1, 2, "a", " a a")}},
		"an append out of two":       {false, []event{appended(1, 9, "a", " a"), appended(1, 9, "b", " b")}},
		"two winners":                {false, []event{happened(1, 9, kindCAS, "", "a", "true"), happened(1, 9, kindCAS, "", "b", "true")}},
		"a loser without a winner":   {false, []event{happened(1, 2, kindCAS, "", "a", "false")}},
		"a value of nobody":          {false, []event{wrote(1, 2, "a"), read(3, 4, "z")}},
		"seen before it is asked":    {false, []event{read(1, 2, "a"), wrote(3, 4, "a")}},
		"perhaps, and then not":      {false, []event{perhaps(1, "a"), read(2, 3, "a"), read(4, 5, "")}},
		"perhaps, and twice":         {false, []event{perhaps(1, "a"), read(2, 3, "a"), wrote(4, 5, "b"), read(6, 7, "b"), read(8, 9, "a")}},
		"a look at what a kill took": {false, []event{perhaps(1, "a"), look(2, 3, "a"), read(4, 5, "")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := porcupine.Illegal
			if c.linear {
				want = porcupine.Ok
			}
			v, err := judge(t.TempDir(), "slate", c.history, time.Minute)
			if err != nil || v.result != want {
				t.Fatalf("it is %s, want %s; %v", v.result, want, err)
			}
			page, err := os.ReadFile(v.picture)
			if !c.linear && (err != nil || len(page) == 0) {
				t.Errorf("the picture has %d bytes, %v", len(page), err)
			}
		})
	}
}

func TestAHistoryThatIsTooLongIsNotJudged(t *testing.T) {
	t.Parallel()
	var history []event
	for n := range 40 {
		history = append(history, perhaps(1, fmt.Sprint(n)))
	}
	v, err := judge(t.TempDir(), "slate", append(history, read(2, 3, "of nobody")), 20*time.Millisecond)
	if err != nil || v.result != porcupine.Unknown {
		t.Errorf("it is %s, %v", v.result, err)
	}
}

// known is an operation by its name: it was asked for and accepted at these times.
func known(id string, call, accepted int64) event {
	return event{order: order{ID: id, Kind: kindWrite}, call: call, accepted: accepted, end: accepted}
}

func TestTheTrailOfASlateShowsOverlapsAndDisorder(t *testing.T) {
	t.Parallel()
	a, b := known("a", 1, 2), known("b", 3, 4)
	stepped := known("a", 1, 2)
	stepped.order.Style, stepped.out.known = styleSteps, true
	told := known("a", 1, 2)
	told.out.known = true
	for name, c := range map[string]struct {
		lines, want string
		history     []event
	}{
		"in order":                           {"enter 1 a/leave 1 a/enter 1 b/leave 1 b", "", []event{a, b}},
		"several attempts":                   {"enter 1 a/leave 1 a/enter 1 a/leave 1 a", "", []event{a}},
		"both again after a kill":            {"enter 1 a/leave 1 a/enter 1 b/enter 2 a/leave 2 a/enter 2 b", "", []event{a, b}},
		"the closure again, after a kill":    {"enter 1 a/step 1 a 1/enter 2 a/step 2 a 1/step 2 a 2/leave 2 a", "", []event{stepped}},
		"at the same time":                   {"enter 1 a/enter 1 b/leave 1 a/leave 1 b", "b begins inside of a", []event{a, b}},
		"two attempts at the same time":      {"enter 1 a/enter 1 a", "a begins inside of a", []event{a}},
		"a closure behind the end":           {"enter 1 a/leave 1 a/step 1 a 1", "a closure of a runs inside of", []event{a}},
		"two processes":                      {"enter 1 a/enter 2 b/leave 1 a", "process 1 writes behind its successor", []event{a, b}},
		"the wrong way":                      {"enter 1 b/leave 1 b/enter 1 a/leave 1 a", "b begins before a", []event{a, b}},
		"the wrong way, over a kill":         {"enter 1 b/step 1 b 1/enter 2 a/step 2 a 1", "b begins before a", []event{a, b}},
		"again behind another one":           {"enter 1 a/leave 1 a/enter 1 b/leave 1 b/enter 1 a", "a begins again", []event{a, b}},
		"its closure again behind another's": {"enter 1 a/step 1 a 1/leave 1 a/enter 1 b/step 1 b 1/enter 2 a/step 2 a 1", "a begins again", []event{a, b}},
		"a closure again behind the next":    {"enter 1 a/step 1 a 1/step 1 a 2/enter 2 a/step 2 a 1", "step 1 of a runs again behind step 2", []event{a}},
		"nobody has asked":                   {"enter 1 c/leave 1 c", "c was never asked for", []event{a}},
		"a result out of nothing":            {"enter 1 b/leave 1 b", "a has a result and has never begun", []event{told, b}},
		"a step is missing":                  {"enter 1 a/step 1 a 1/leave 1 a", "a has a result and its last step was 1", []event{stepped}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for line := range strings.SplitSeq(c.lines, "/") {
				f := strings.Fields(line)
				lines = append(lines, strings.Join(append([]string{f[0], f[1], "slate"}, f[2:]...), " "))
			}
			got := trails(lines)["slate"].complaints(c.history)
			if text := strings.Join(got, "; "); !strings.Contains(text, c.want) || (c.want == "") != (text == "") {
				t.Errorf("the complaints are %q, want %q", text, c.want)
			}
		})
	}
}

func TestTheAuditOfABankFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	done := func(change func(*moved)) *moved {
		m := &moved{transfer: transfer{ID: "t", From: "x", To: "y", Amount: 30}, result: settled{Moved: true}}
		change(m)
		return m
	}
	good := map[string]int{"x": 70, "y": 130}
	untouched := map[string]int{"x": 100, "y": 100}
	for name, c := range map[string]struct {
		m     *moved
		found map[string]int
		want  string
	}{
		"moved":                      {done(func(*moved) {}), good, ""},
		"undone":                     {done(func(m *moved) { m.cancelled, m.result = true, settled{Why: "cancelled"} }), untouched, ""},
		"money is lost":              {done(func(*moved) {}), map[string]int{"x": 70, "y": 100}, "has 170 in total"},
		"money is made":              {done(func(*moved) {}), map[string]int{"x": 100, "y": 130}, "has 230 in total"},
		"twice":                      {done(func(*moved) {}), map[string]int{"x": 40, "y": 160}, "x has 40, and 70 by the results"},
		"undone and still moved":     {done(func(m *moved) { m.cancelled, m.result = true, settled{Why: "cancelled"} }), good, "x has 70, and 100"},
		"undone for no reason":       {done(func(m *moved) { m.result = settled{Why: "cancelled"} }), untouched, "had no reason to fail"},
		"moved and undone":           {done(func(m *moved) { m.result.Why = "refused" }), good, "says both or nothing"},
		"without an answer":          {done(func(m *moved) { m.Ask = true }), good, "went on without an answer"},
		"against the first answer":   {done(func(m *moved) { m.Ask, m.answered = true, true }), good, "was refused"},
		"refused by a later answer":  {done(func(m *moved) { m.Ask, m.answered, m.answer, m.result = true, true, true, settled{Why: "refused"} }), untouched, "had no reason"},
		"given to who takes nothing": {done(func(m *moved) { m.Amount = 35 }), map[string]int{"x": 65, "y": 135}, "does not take it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bank{name: "b", keys: []string{"x", "y"}, transfers: []*moved{c.m}}
			text := strings.Join(b.compare(c.found), "; ")
			if !strings.Contains(text, c.want) || (c.want == "") != (text == "") {
				t.Errorf("the complaints are %q, want %q", text, c.want)
			}
		})
	}
}
