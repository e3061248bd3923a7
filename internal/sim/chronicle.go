package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// chronicle is what the world has seen: what each attempt of each handler was told
// and did. It outlives processes. It judges as it goes.
type chronicle struct {
	w        *world
	subjects map[string]*subject
	keys     map[string]*keyStory
	// awakeables are those that were handed out.
	awakeables map[string]*awakeable
	// disturbed are the names of programs that somebody has killed or cancelled.
	disturbed map[string]bool
	// restarted are those that may begin with the journal of another one.
	restarted map[string]bool
	// ended are those whose removal may not be durable, by birth, when nothing is kept.
	ended map[ident.Seq]*subject
	// results are what attempts of programs have returned, by their names.
	results map[string][]string
}

// subject is one invocation.
type subject struct {
	id, name, key string
	exclusive     bool
	// fixed is what attempts were told, up to a moment at which all of it had to
	// be durable: every later attempt is told the same.
	fixed []string
	// ran are the results of closures, by place; given what the handler got.
	ran   map[string][]string
	runs  map[string]int
	given map[string]string
	// asleep is when a sleep began at the earliest.
	asleep map[string]time.Duration
	// busy is the attempt that began last, and closures counts those that run, of any
	// attempt.
	busy     *telling
	closures int
	// failures counts the attempts that were meant to fail.
	failures int
	// stubborn counts those of VerbStubborn, by place.
	stubborn map[string]int
	// started is the step at which its code ran for the first time.
	started uint64
	// appends is how often the last attempt has appended to the log.
	appends int
	// found is the state that its first attempt has found on its key, nil when that
	// is not known yet.
	found map[string]string
}

// keyStory is what happens on one key.
type keyStory struct {
	// running is the exclusive attempt whose code is running.
	running *telling
	// closures counts those that run, of exclusive invocations.
	closures int
	// arrivals are the sends that were acknowledged.
	arrivals []arrival
	// patched says that somebody has replaced the state, and cleared that a handler
	// has removed it.
	patched, cleared bool
	// edited says that somebody has replaced the state, or is about to, since it was
	// looked at; editing counts those who are at it.
	edited  bool
	editing int
	// patchings are the requests to replace the state, and wroteAt is the last step at
	// which a handler wrote it.
	patchings []*patching
	wroteAt   uint64
	// left is the state as the last attempt has left it, which is of last.
	left map[string]string
	last *subject
}

// arrival is a send between two steps.
type arrival struct {
	id           string
	asked, acked uint64
}

// awakeable is one that was handed out.
type awakeable struct {
	owner   string
	answers []*answer
	given   string
}

// again is the awakeable of a later life: what was answered before may or may not
// have been an answer to this one.
func (a *awakeable) again() *awakeable {
	next := &awakeable{owner: a.owner, answers: slices.Clone(a.answers)}
	for i, n := range next.answers {
		next.answers[i] = &answer{value: n.value, asked: n.asked}
	}
	return next
}

// answer is one request to resolve an awakeable.
type answer struct {
	value string
	// asked and acked are steps; acked is 0 before.
	asked, acked uint64
}

// telling is one attempt.
type telling struct {
	c       *chronicle
	subject *subject
	process *process
	told    []string
	// reads are the values of the state that were read and not written since.
	reads map[string]string
	// state is what the handler has to find in the state of its object, nil when
	// nothing can be said.
	state map[string]string
	// owed are texts that the disk must hold, since the attempt was told them.
	owed []string
	over bool
}

func newChronicle(w *world) *chronicle {
	return &chronicle{w: w, subjects: make(map[string]*subject), keys: make(map[string]*keyStory), awakeables: make(map[string]*awakeable), disturbed: make(map[string]bool), restarted: make(map[string]bool), results: make(map[string][]string), ended: make(map[ident.Seq]*subject)}
}

// disturb notes that a program, and what it calls, may end in any way.
func (c *chronicle) disturb(p *Program) {
	c.disturbed[p.Name] = true
	for i := range p.Steps {
		if sub := p.Steps[i].Sub; sub != nil {
			c.disturb(sub)
		}
	}
}

// forget ends the life of an id.
func (c *chronicle) forget(id string) {
	delete(c.subjects, id)
	for text, a := range c.awakeables {
		if a.owner == id {
			c.awakeables[text] = a.again()
		}
	}
}

// removes notes that an output removes an invocation. Who asks again under its
// idempotency key begins another life, when nothing is kept.
func (c *chronicle) removes(id ident.InvocationID, birth ident.Seq) {
	if s := c.subjects[id.String()]; s != nil && c.w.plan.Retention == 0 {
		c.ended[birth] = s
		c.forget(s.id)
	}
}

// restore brings back whose removal was not durable.
func (c *chronicle) restore() {
	for birth, s := range c.ended {
		if record, _ := c.w.record(s.id); record != nil && record.Birth == birth {
			c.subjects[s.id] = s
		}
	}
	clear(c.ended)
}

// begin notes the start of an attempt.
func (c *chronicle) begin(id, key, name string, exclusive bool) *telling {
	s := c.subjects[id]
	if s != nil && s.name != name {
		c.forget(id) // a workflow that has outlived its retention, and begins anew
		s = nil
	}
	if s == nil {
		s = &subject{
			id: id, name: name, key: key, exclusive: exclusive, ran: make(map[string][]string), runs: make(map[string]int),
			given: make(map[string]string), asleep: make(map[string]time.Duration), stubborn: make(map[string]int), started: c.w.loop.steps,
		}
		c.subjects[id] = s
	}
	s.appends = 0
	t := &telling{c: c, subject: s, process: c.w.process, reads: make(map[string]string)}
	c.w.loop.note("%s begins on %s, %s", name, key, id)
	t.ensureAlone()
	if k := c.key(key); exclusive {
		switch {
		case c.w.plan.Abort > 0: // it may have been given up
		case k.running != nil:
			c.w.loop.fail(InvariantOrder, "%s starts on key %s while %s runs there", name, key, k.running.subject.name)
		case k.closures > 0:
			c.w.loop.fail(InvariantOrder, "%s starts on key %s while %d closures of another attempt run", name, key, k.closures)
		}
		k.running = t
		if !strings.Contains(key, "/") && c.w.plan.Abort == 0 { // else code may go on that was given up
			t.follow(k)
		}
	}
	return t
}

func (c *chronicle) key(key string) *keyStory {
	k := c.keys[key]
	if k == nil {
		k = new(keyStory)
		c.keys[key] = k
	}
	return k
}

// end notes that the code of an attempt has ended.
func (t *telling) end() {
	if t.process.dead {
		return
	}
	t.over = true
	t.c.w.loop.note("%s ends", t.subject.name)
	if k := t.c.key(t.subject.key); k.running == t {
		k.running = nil
	}
}

// crash forgets what ended with the process.
func (c *chronicle) crash() {
	for _, k := range c.keys {
		k.running, k.closures = nil, 0
	}
	c.restore()
	for id, s := range c.subjects {
		s.busy, s.closures = nil, 0
		switch {
		case c.w.onDisk(id):
		case c.w.plan.Retention == 0:
			c.forget(id) // it may be complete
		case len(s.fixed) == 0:
			delete(c.subjects, id)
		}
	}
	c.recover()
}

// tell notes what the handler was told.
func (t *telling) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	at := len(t.told)
	t.told = append(t.told, text)
	t.c.w.loop.note("%s was told %s", t.subject.name, text)
	if at < len(t.subject.fixed) && t.subject.fixed[at] != text {
		t.c.w.loop.fail(InvariantReplay, "%s was told %q, and now %q", t.subject.name, t.subject.fixed[at], text)
	}
}

// read notes a value of the state that the handler was told.
func (t *telling) read(name, value string) {
	value = brief(name, value)
	t.sees(name, value)
	if _, before := t.reads[name]; !before || !t.subject.exclusive {
		t.reads[name] = value
	}
}

// written stands for a value that the handler has written itself.
const written = "\x00"

func (t *telling) wrote(name, value string) {
	t.reads[name] = written
	t.c.key(t.subject.key).wroteAt = t.c.w.loop.steps
	t.leaves(name, brief(name, value))
}

// fix notes that every later attempt is told the same: all commands so far are
// durable, or follow from what is.
func (t *telling) fix() {
	if s := t.subject; len(t.told) > len(s.fixed) {
		s.fixed = slices.Clone(t.told)
	}
}

// answered judges the answer that an awakeable gives: of those that were asked for,
// none was acknowledged before this one was asked for.
func (t *telling) answered(id, value string) {
	a, w := t.c.awakeables[id], t.c.w
	if a == nil && !strings.Contains(value, id) {
		return // it was restarted with the answers of another one
	}
	if a == nil {
		w.loop.fail(InvariantAcked, "%s has the answer %q of an awakeable that was not handed out", t.subject.name, value)
		return
	}
	at := slices.IndexFunc(a.answers, func(other *answer) bool { return other.value == value })
	switch {
	case value == late:
	case at < 0:
		w.loop.fail(InvariantHandOver, "%s has the answer %q that nobody gave", t.subject.name, value)
	case a.given != "" && a.given != value:
		w.loop.fail(InvariantHandOver, "%s had the answer %q, and now %q", t.subject.name, a.given, value)
	default:
		for _, other := range a.answers {
			if other.acked > 0 && other.acked < a.answers[at].asked {
				w.loop.fail(InvariantHandOver, "%s has the answer %q although %q was acknowledged before it was asked for", t.subject.name, value, other.value)
			}
		}
	}
	t.owed = append(t.owed, value)
}

// fallAsleep notes when a sleep begins.
func (t *telling) fallAsleep(at string) {
	if _, before := t.subject.asleep[at]; !before {
		t.subject.asleep[at] = t.c.w.loop.now
	}
}

// wakeUp judges the end of a sleep. The clock of a runtime has whole milliseconds.
func (t *telling) wakeUp(at string, d time.Duration) {
	slept := t.c.w.loop.now - t.subject.asleep[at]
	if slept < d-time.Millisecond && t.c.w.plan.Skew == 0 && !t.c.restarted[t.subject.name] {
		t.c.w.loop.fail(InvariantOwner, "%s slept for %v instead of %v", t.subject.name, slept, d)
	}
}

// count returns how often a name is in a log.
func count(log, name string) (n int) {
	for entry := range strings.SplitSeq(log, ";") {
		if entry == name {
			n++
		}
	}
	return n
}
