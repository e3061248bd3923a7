package httpapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fact is something that is counted of a damage: what was done, or what became of it.
type fact int

const (
	bitFlipped fact = iota + 1
	fileCut
	fileRemoved

	// allRight: everything is answered as it was acknowledged.
	allRight
	// refusedByName: the start is refused, or the runtime stops, by the name of the file.
	refusedByName
	// refusedOtherwise: it is refused without that name.
	refusedOtherwise
	// keyQuarantined: the answers of one key are that it is quarantined.
	keyQuarantined
	// answeredWrong: something is answered that was never acknowledged.
	answeredWrong
	// absentInSilence: something is missing, and nothing says that it was there.
	absentInSilence

	// noticedByCheck: an examination finds something. overlookedByCheck: it finds nothing,
	// although not everything is right.
	noticedByCheck
	overlookedByCheck
)

// String says how the verdict counts it.
func (f fact) String() string {
	switch f {
	case bitFlipped:
		return "bits flipped"
	case fileCut:
		return "files cut"
	case fileRemoved:
		return "removed"
	case allRight:
		return "right answers"
	case refusedByName:
		return "refused by the name of the file"
	case refusedOtherwise:
		return "refused without it"
	case keyQuarantined:
		return "keys quarantined"
	case answeredWrong:
		return "wrong answers"
	case absentInSilence:
		return "absent in silence"
	case noticedByCheck:
		return "noticed by a check"
	case overlookedByCheck:
		return "overlooked by it"
	default:
		return fmt.Sprintf("fact(%d)", int(f))
	}
}

// tally counts facts.
type tally map[fact]int

// The verdict is in three parts, which are these facts.
func whatWasDone() []fact { return []fact{bitFlipped, fileCut, fileRemoved} }
func whatBecame() []fact {
	return []fact{allRight, refusedByName, refusedOtherwise, keyQuarantined, answeredWrong, absentInSilence}
}
func whatCheckSaid() []fact { return []fact{noticedByCheck, overlookedByCheck} }

// say lists the counts of facts.
func (y tally) say(facts []fact) string {
	var parts []string
	for _, f := range facts {
		parts = append(parts, fmt.Sprintf("%d %s", y[f], f))
	}
	return strings.Join(parts, ", ")
}

// sayWhatIs leaves out those that have not happened.
func (y tally) sayWhatIs(facts []fact) string {
	return y.say(slices.DeleteFunc(facts, func(f fact) bool { return y[f] == 0 }))
}

// count notes a fact of a damage.
func (c *corruption) count(d *damage, f fact) {
	if c.classes[d.class] == nil {
		c.classes[d.class] = tally{}
	}
	c.did[f]++
	c.classes[d.class][f]++
}

// report is the verdict, also of a run that has failed on its way.
func (c *corruption) report() {
	word := "good"
	if c.t.Failed() {
		word = "bad"
	}
	var lines strings.Builder
	for _, class := range slices.Sorted(maps.Keys(c.classes)) {
		y := c.classes[class]
		fmt.Fprintf(&lines, "\n%-12s %s: %s", class, y.sayWhatIs(whatWasDone()), y.sayWhatIs(slices.Concat(whatBecame(), whatCheckSaid())))
	}
	c.t.Logf("%s: %s: %s\n%s; %d questions each time; seed %d%s",
		word, c.did.say(whatWasDone()), c.did.say(whatBecame()), c.did.say(whatCheckSaid()), len(c.questions), c.seed, lines.String())
}
