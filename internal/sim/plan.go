package sim

import "encoding/json"

// Plan is what happens in one world, but for the order: everything that clients
// ask for, what handlers then do, and how often the process ends. The order comes
// from Seed.
type Plan struct {
	Seed uint64
	// Limit is how many steps the world has to come to rest.
	Limit    uint64
	Requests []Request
	// Ends is how often the process ends.
	Ends []End
	// KillAt, when it is not 0, ends the process at that step, whatever it does.
	KillAt uint64 `json:",omitempty"`
	House
}

// House is how the runtime is set up. Times are in milliseconds.
type House struct {
	Inactivity         int64 // negative: suspend at every wait
	Linger             int64 // negative: none
	MaxRunning         int
	MaxLive            int
	MaxHot             int
	Retention          int64 // of objects and services; 0 keeps nothing
	LazyState          bool
	EvictTimers        bool
	SlowSync           int64 // the longest that a sync takes
	SlowRead           int64 // the longest that what was read is on its way
	SuspendAtEveryWait bool
	// Undurable, when it is not 0, is how many bytes an attempt may have written that
	// are not durable.
	Undurable int
	// Abort, when it is not 0, is how long code may hold up the next attempt.
	Abort int64
	// Skew is how far the wall clock of a process may be off.
	Skew int64
	// Retire waits at the end until every retention is over.
	Retire bool
}

// Request is what one client does.
type Request struct {
	// At is when, in milliseconds from the beginning.
	At      int64
	Kind    RequestKind
	Key     int
	Program Program
	// Delay is for sends, in milliseconds.
	Delay int64
	// Times is how often it is repeated, or how much there is of it.
	Times int
}

// RequestKind is a kind of Request.
type RequestKind uint8

// Kinds of requests.
const (
	RequestCall RequestKind = iota + 1
	RequestSend
	// RequestShared calls the shared handler of an object.
	RequestShared
	// RequestService calls a service.
	RequestService
	// RequestOnce calls with an idempotency key, again and again until there is
	// an answer.
	RequestOnce
	// RequestWorkflow starts a workflow, RequestPoke calls its shared handler.
	RequestWorkflow
	RequestPoke
	// RequestKill and RequestCancel take some invocation that is there.
	RequestKill
	RequestCancel
	// RequestPause pauses an invocation and resumes it later.
	RequestPause
	// RequestPatch replaces the state of a key.
	RequestPatch
	// RequestReuse sends under an idempotency key, kills and purges, again and
	// again: the id comes back.
	RequestReuse
	// RequestListen waits for the promise of a workflow from outside, and
	// RequestKnot calls an object whose handlers may call each other in a circle.
	RequestListen
	RequestKnot
	// RequestAttach waits for the result of some invocation, RequestPurge removes
	// one that is complete, or only its journal, and RequestRestart makes a new one
	// of it.
	RequestAttach
	RequestPurge
	RequestRestart
	// RequestPressure makes the disk short of space for a while.
	RequestPressure
	requestKinds
)

// End is one end of the process.
type End struct {
	// After is how long the process lives, in milliseconds, and then Commits how
	// many commits it still makes.
	After   int64
	Commits int
	Kind    EndKind
}

// EndKind is how a process ends.
type EndKind uint8

// Ends of a process.
const (
	// EndKill ends it at some step.
	EndKill EndKind = iota + 1
	// EndBefore and EndAfter end it at a commit, before the group is on disk or
	// right after.
	EndBefore
	EndAfter
	// EndFail makes the commit fail.
	EndFail
	// EndClose is a deploy: the process is asked to end, during a commit or, when
	// Commits is 0, at any step.
	EndClose
	endKinds
)

// Program is what a handler does. Name is unique in a plan.
type Program struct {
	Name  string `json:"n"`
	Steps []Step `json:"s,omitempty"`
	// Fails is how often an attempt of it fails before it goes on.
	Fails int `json:"f,omitempty"`
	// Terminal makes it end with a terminal error.
	Terminal bool `json:"t,omitempty"`
}

// Step is one thing that a handler does.
type Step struct {
	Do  Verb     `json:"d"`
	N   int      `json:"n,omitempty"`
	Key int      `json:"k,omitempty"`
	Sub *Program `json:"p,omitempty"`
}

// Verb is what a step does.
type Verb uint8

// Verbs. State comes first: a shared handler and a service have none to write.
const (
	// VerbAppend adds the name of the program to the log in the state.
	VerbAppend Verb = iota + 1
	// VerbSet and VerbClear write the value N, VerbGet reads it, or the large one
	// when N is 3, VerbKeys lists.
	VerbSet
	VerbClear
	VerbGet
	VerbKeys
	// VerbRun runs a closure, which fails N times.
	VerbRun
	// VerbAwake creates an awakeable and waits for it; the world answers N times.
	VerbAwake
	// VerbSleep sleeps for N ms.
	VerbSleep
	// VerbRace waits for the first of an awakeable and a sleep of N ms.
	VerbRace
	// VerbCall calls Sub on Key and waits, VerbSend sends it, with a delay of N
	// ms, VerbBoth calls two at a time.
	VerbCall
	VerbSend
	VerbBoth
	// VerbSignal waits for a named signal, which the world sends.
	VerbSignal
	// VerbPromise waits for the promise of a workflow.
	VerbPromise
	// VerbYield lets others run.
	VerbYield
	// VerbRand draws a number.
	VerbRand
	// VerbAttach sends Sub to Key and waits for its result by its id.
	VerbAttach
	// VerbNudge sends Sub to Key, which waits for a signal, and sends that right
	// behind.
	VerbNudge
	// VerbChange runs a closure whose name depends on the build.
	VerbChange
	// VerbBig writes a large value, of the size N.
	VerbBig
	// VerbStubborn runs a closure that does not listen, and fails once meanwhile.
	VerbStubborn
	// VerbClearAll removes the whole state.
	VerbClearAll
	// VerbPeek looks at the promise of a workflow.
	VerbPeek
	// VerbRelay waits for an awakeable that another handler answers.
	VerbRelay
	// VerbKnot calls Sub on Key of the object whose handlers may call each other in
	// a circle, which fails one of them.
	VerbKnot
	verbs
	// VerbExpect waits for the signal of a VerbNudge, and VerbListen for the promise of
	// a workflow, which the client resolves.
	VerbExpect
	VerbListen
)

// Size says how large a world is.
type Size struct{ Keys, Requests, Steps, Ends int }

// Small is the size of the worlds of which thousands are tried.
func Small() Size { return Size{Keys: 3, Requests: 10, Steps: 4, Ends: 3} }

// Large is the size of worlds with much to wait for.
func Large() Size { return Size{Keys: 8, Requests: 80, Steps: 8, Ends: 8} }

// NewPlan draws a plan.
func NewPlan(seed uint64, size Size) *Plan {
	g := newGenerator(seed, size)
	p := &Plan{Seed: seed, Limit: 400_000, House: g.house()}
	for range 1 + g.rand.IntN(size.Requests) {
		p.Requests = append(p.Requests, g.request())
	}
	for range g.rand.IntN(size.Ends + 1) {
		p.Ends = append(p.Ends, g.end())
	}
	return p
}

// String returns the plan as JSON, which ParsePlan reads.
func (p *Plan) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// ParsePlan reads what String has written.
func ParsePlan(text string) (*Plan, error) {
	p := new(Plan)
	return p, json.Unmarshal([]byte(text), p)
}
