package sim

import (
	"math/rand/v2"
	"time"
)

// generator draws the parts of a plan.
type generator struct {
	rand  *rand.Rand
	size  Size
	names int
	// knots says that programs of the object with circles are drawn.
	knots bool
	// swarm says that verbs and kinds are few: what a plan seldom has then meets
	// itself, and has room for what else belongs to it.
	swarm bool
	verbs []Verb
	kinds []RequestKind
	ends  []EndKind
}

// newGenerator chooses what a plan is drawn from: a few verbs and kinds of requests and
// of ends, or, one time in four, all of them.
func newGenerator(seed uint64, size Size) *generator {
	g := &generator{rand: rand.New(rand.NewPCG(seed, 0x706c616e)), size: size}
	if g.swarm = !g.one(4); !g.swarm {
		for v := Verb(1); v < verbs; v++ {
			g.verbs = append(g.verbs, v)
		}
		for k := RequestKind(1); k < requestKinds; k++ {
			g.kinds = append(g.kinds, k)
		}
		for k := EndKind(1); k < endKinds; k++ {
			g.ends = append(g.ends, k)
		}
		return g
	}
	for range 1 + g.rand.IntN(4) {
		g.verbs = append(g.verbs, Verb(1+g.rand.IntN(int(verbs-1))))
	}
	starting := []RequestKind{RequestCall, RequestSend, RequestShared, RequestService, RequestOnce, RequestWorkflow, RequestListen, RequestReuse, RequestKnot}
	g.kinds = []RequestKind{starting[g.rand.IntN(len(starting))]}
	for range g.rand.IntN(3) {
		g.kinds = append(g.kinds, RequestKind(1+g.rand.IntN(int(requestKinds-1))))
	}
	for range 1 + g.rand.IntN(2) {
		g.ends = append(g.ends, EndKind(1+g.rand.IntN(int(endKinds-1))))
	}
	if g.one(4) {
		all := motifs()
		g.add(all[g.rand.IntN(len(all))])
	}
	return g
}

// motif is what seldom meets by chance and has a moment in common.
type motif struct {
	verbs []Verb
	kinds []RequestKind
	ends  []EndKind
}

func motifs() []motif {
	return []motif{
		// What a handler owes to an invocation that is not there yet when the process ends.
		{verbs: []Verb{VerbNudge}, ends: []EndKind{EndClose}},
		// Who has been paused is told to end.
		{kinds: []RequestKind{RequestPause, RequestCancel}},
		// What undoes a handler, beside what it was doing.
		{verbs: []Verb{VerbStubborn}, kinds: []RequestKind{RequestCancel, RequestCancel}},
		// State that is replaced while it changes.
		{verbs: []Verb{VerbSet}, kinds: []RequestKind{RequestPatch, RequestPause}},
	}
}

func (g *generator) add(m motif) {
	g.verbs, g.kinds = append(g.verbs, m.verbs...), append(g.kinds, m.kinds...)
	if len(m.ends) > 0 {
		g.ends = m.ends
	}
}

func (g *generator) one(in int) bool { return g.rand.IntN(in) == 0 }

// spread returns a time that is often short and sometimes long.
func (g *generator) spread() int64 { return g.rand.Int64N(int64(1) << g.rand.IntN(9)) }

func (g *generator) house() House {
	h := House{Linger: -1, Retention: 1000 * (1 + g.rand.Int64N(3600)), MaxRunning: 1 + g.rand.IntN(8), MaxLive: 1 + g.rand.IntN(8), MaxHot: 1 + g.rand.IntN(4)}
	if g.one(2) {
		h.Linger = g.spread() + 1
	}
	switch g.rand.IntN(3) {
	case 0:
		h.Inactivity = -1
	case 1:
		h.Inactivity = g.spread() + 1
	default:
		h.Inactivity = time.Minute.Milliseconds()
	}
	h.LazyState, h.EvictTimers, h.SuspendAtEveryWait = g.one(4), g.one(4), g.one(4)
	if g.one(2) {
		h.SlowSync = 1 + g.spread()
	}
	if g.one(4) || h.EvictTimers && g.one(2) {
		h.SlowRead = 1 + g.rand.Int64N(8)
	}
	if g.one(3) {
		h.Skew = g.rand.Int64N(5000)
	}
	h.Retire = g.one(16)
	if g.one(4) {
		h.Undurable = 64 << g.rand.IntN(5)
	}
	if g.one(4) {
		h.Abort = 1 + g.spread()
	}
	if g.one(8) {
		h.Retention = 0
	}
	return h
}

func (g *generator) end() End {
	e := End{After: g.spread(), Commits: 1 + g.rand.IntN(4), Kind: g.ends[g.rand.IntN(len(g.ends))]}
	if e.Kind == EndClose && g.one(2) {
		e.Commits = 0
	}
	return e
}

func (g *generator) request() Request {
	r := Request{At: g.spread(), Kind: g.kinds[g.rand.IntN(len(g.kinds))], Key: g.rand.IntN(g.size.Keys), Times: 1 + g.rand.IntN(3)}
	if g.one(4) {
		r.Delay = 1 + g.spread()
	}
	g.knots = r.Kind == RequestKnot
	depth := 2
	if r.Kind == RequestListen {
		depth = 0 // it is performed some times, and its programs would no longer be the only ones of their name
	}
	r.Program = g.program(r.Key, depth)
	g.knots = false
	switch r.Kind {
	case RequestListen:
		r.Program.Steps = append([]Step{{Do: VerbListen}, {Do: VerbRun}}, r.Program.Steps...)
	case RequestReuse:
		// Something of the earlier life is under way when the next one begins.
		first := Step{Do: VerbCall, Key: r.Key + 1}
		if r.Key+1 >= g.size.Keys || g.one(2) {
			first = Step{Do: VerbSleep, N: int(g.spread())}
		} else {
			sub := g.program(first.Key, 1)
			first.Sub = &sub
		}
		r.Program.Steps = append([]Step{first}, r.Program.Steps...)
	}
	return r
}

// manyPrograms is from how many programs on those of a plan call no others: each commit
// costs as much as there are rows.
const manyPrograms = 30

// program draws a program for a key. It calls only keys behind its own, since two
// that call each other wait for ever; it may send to all.
func (g *generator) program(key, depth int) Program {
	if g.names++; g.names > manyPrograms {
		depth = 0
	}
	p := Program{Name: "p" + itoa(g.names)}
	for range g.rand.IntN(g.size.Steps + 1) {
		if g.one(8) {
			p.Steps = append(p.Steps, g.churn()...)
		} else {
			p.Steps = append(p.Steps, g.step(key, depth))
		}
	}
	if g.one(8) {
		p.Fails = 1 + g.rand.IntN(2)
	}
	p.Terminal = g.one(12)
	return p
}

// churn is a few changes of one value, one right behind the other: they are about the
// same rows within one output, or within few.
func (g *generator) churn() (steps []Step) {
	n := g.rand.IntN(3)
	verbs := []Verb{VerbSet, VerbClear, VerbGet, VerbClearAll, VerbKeys, VerbYield}
	for range 2 + g.rand.IntN(3) {
		steps = append(steps, Step{Do: verbs[g.rand.IntN(len(verbs))], N: n})
	}
	return steps
}

func (g *generator) step(key, depth int) Step {
	s := Step{Do: g.verbs[g.rand.IntN(len(g.verbs))], N: g.rand.IntN(3)}
	switch s.Do {
	case VerbSleep, VerbRace:
		s.N = int(g.spread())
	case VerbCall, VerbBoth:
		if depth == 0 || key+1 >= g.size.Keys {
			return Step{Do: VerbRun}
		}
		s.Key = key + 1 + g.rand.IntN(g.size.Keys-key-1)
		sub := g.program(s.Key, depth-1)
		s.Sub = &sub
	case VerbAttach:
		if depth == 0 || key+1 >= g.size.Keys {
			return Step{Do: VerbRand}
		}
		s.Key = key + 1 + g.rand.IntN(g.size.Keys-key-1)
		sub := g.program(s.Key, depth-1)
		s.Sub = &sub
	case VerbNudge:
		if depth == 0 {
			return Step{Do: VerbRand}
		}
		s.Key = g.rand.IntN(g.size.Keys)
		sub := g.program(s.Key, depth-1)
		sub.Steps = append([]Step{{Do: VerbExpect}}, sub.Steps...)
		sub.Fails, sub.Terminal = 0, false
		s.Sub = &sub
	case VerbKnot:
		if !g.knots || depth == 0 {
			return Step{Do: VerbRand}
		}
		s.Key = g.rand.IntN(g.size.Keys)
		sub := g.program(s.Key, depth-1)
		s.Sub = &sub
	case VerbGet:
		s.N = g.rand.IntN(4)
	case VerbBig:
		s.N = g.rand.IntN(len(bigSizes()))
		if g.swarm && g.one(2) || !g.swarm && !g.one(8) {
			return Step{Do: VerbGet}
		}
	case VerbSend:
		if depth == 0 {
			return Step{Do: VerbAppend}
		}
		if s.N = 0; g.one(3) {
			s.N = int(g.spread())
		}
		s.Key = g.rand.IntN(g.size.Keys)
		sub := g.program(s.Key, depth-1)
		s.Sub = &sub
	}
	return s
}
