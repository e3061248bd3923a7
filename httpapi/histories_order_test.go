package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
)

// trail is what handlers of one slate have written, in the order of the file.
type trail []trace

// trace is one line of a handler: enter, leave or step.
type trace struct {
	word, life, id, step string
}

// trails reads the ledger of all lives, by key.
func trails(lines []string) map[string]trail {
	all := map[string]trail{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "enter" && f[0] != "leave" && f[0] != "step" {
			continue
		}
		all[f[2]] = append(all[f[2]], trace{word: f[0], life: f[1], id: f[3], step: strings.Join(f[4:], "")})
	}
	return all
}

// complaints judges the order in which exclusive handlers of a slate were executed.
//
// Within one life, code of two attempts never runs at the same time, no operation
// begins again once another has begun, and they begin in the order of their
// acceptance. Over a kill only the closures are held to that: a handler may have
// begun although the end of its predecessor was not durable, and then both are
// executed again, but no closure starts before all is durable that went before.
func (tr trail) complaints(history []event) (all []string) {
	var steps, started []string
	life, inside := "", ""
	lives, last := map[string]bool{}, map[string]string{}
	for _, t := range tr {
		if t.life != life {
			if lives[t.life] {
				all = append(all, "process "+t.life+" writes behind its successor")
			}
			all = append(all, disorder(started, history)...)
			life, inside, started = t.life, "", nil
			lives[life] = true
		}
		switch t.word {
		case "enter":
			if inside != "" {
				all = append(all, t.id+" begins inside of "+inside)
			}
			inside, started = t.id, append(started, t.id)
		case "leave":
			if inside != t.id {
				all = append(all, fmt.Sprintf("%s ends inside of %q", t.id, inside))
			}
			inside = ""
		case "step":
			if inside != t.id {
				all = append(all, fmt.Sprintf("a closure of %s runs inside of %q", t.id, inside))
			}
			if t.step < last[t.id] {
				all = append(all, "step "+t.step+" of "+t.id+" runs again behind step "+last[t.id])
			}
			last[t.id], steps = t.step, append(steps, t.id)
		}
	}
	all = append(all, disorder(started, history)...)
	all = append(all, disorder(steps, history)...)
	return append(all, tr.missing(history)...)
}

// disorder compares the order of starts with what clients know: who was accepted
// before another was asked for starts before it.
func disorder(started []string, history []event) (all []string) {
	started = slices.Compact(slices.Clone(started))
	by := map[string]event{}
	for _, e := range history {
		by[e.order.ID] = e
	}
	seen := map[string]bool{}
	for _, id := range started {
		if seen[id] {
			all = append(all, id+" begins again after another one has begun")
		}
		seen[id] = true
	}
	earliest, whose := int64(never), ""
	for _, id := range slices.Backward(started) {
		e, known := by[id]
		switch {
		case !known:
			all = append(all, id+" was never asked for")
			continue
		case earliest < e.call:
			all = append(all, fmt.Sprintf("%s begins before %s, which was accepted before it was asked for", id, whose))
		}
		if e.accepted < earliest {
			earliest, whose = e.accepted, id
		}
	}
	return all
}

// missing finds operations with a result that nobody has begun, and those whose
// closures were not all executed.
func (tr trail) missing(history []event) (all []string) {
	entered, steps := map[string]bool{}, map[string]string{}
	for _, t := range tr {
		switch t.word {
		case "enter":
			entered[t.id] = true
		case "step":
			steps[t.id] = t.step
		}
	}
	for _, e := range history {
		withSteps := e.order.Style == styleSteps || e.order.Style == styleStepNap
		switch id := e.order.ID; {
		case !e.out.known || e.order.Kind == kindLook:
		case !entered[id]:
			all = append(all, id+" has a result and has never begun")
		case withSteps && steps[id] != "2":
			all = append(all, id+" has a result and its last step was "+steps[id])
		}
	}
	return all
}
