package sim

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// What exclusive handlers leave to each other in the state of an object. Whoever has
// the key next reads just that, be it durable or not, and each attempt of it does.

// unsure stands for a value that is not known: the handler before was killed, and
// nobody can say how much of what it has written had arrived.
const unsure = "\x01"

// stateNames are the names that programs use.
func stateNames() []string { return []string{bigName, logName, "v0", "v1", wideName} }

// wideName is the name whose values are too long to stand in the record of the key:
// each has a row of its own.
const wideName = "v2"

// bigName is the name whose values are of any size.
const bigName = "big"

// valueName is the name of the value n.
func valueName(n int) string {
	if n == 3 {
		return bigName
	}
	return "v" + itoa(n)
}

// brief stands for a value of the state: a long one is known by its beginning, its
// length and its sum.
func brief(name, value string) string {
	const short = 100
	if len(value) < short || name == logName {
		return value
	}
	return fmt.Sprintf("%.20s… %d %08x", value, len(value), crc32.ChecksumIEEE([]byte(value)))
}

// widen makes a value for a name as long as it has to be.
func widen(name, value string) string {
	if name == wideName {
		return value + strings.Repeat("-", 600)
	}
	return value
}

// follow lets an attempt begin with what the one before it has left on the key. The
// first attempt of an invocation settles what that is for all of them.
func (t *telling) follow(k *keyStory) {
	s := t.subject
	if s.found == nil {
		s.found = cloneState(k.left)
		if last := k.last; last != nil && t.c.disturbed[last.name] {
			forgetState(s.found)
		}
		if k.edited {
			forgetState(s.found)
			k.edited = k.editing > 0 || t.c.w.patchesWait()
		}
	}
	t.state = cloneState(s.found)
	k.left, k.last = t.state, s
}

// sees judges a value of the state that the handler was told.
func (t *telling) sees(name, value string) {
	want, known := t.state[name]
	switch {
	case t.state == nil, t.process.dead:
	case want == unsure:
		t.state[name] = value
	case want != value || !known && value != "":
		t.c.w.loop.fail(InvariantPrefix, "%s reads %s = %.40q, and %.40q was left there", t.subject.name, name, value, want)
	}
}

// lists judges the names of the state that the handler was told.
func (t *telling) lists(names []string) {
	if t.state == nil || t.process.dead {
		return
	}
	for _, name := range stateNames() {
		if want := t.state[name]; want != unsure && (want != "") != slices.Contains(names, name) {
			t.c.w.loop.fail(InvariantPrefix, "%s lists %v, and %.40q was left in %s", t.subject.name, names, want, name)
		}
	}
}

// leaves notes what the handler has written.
func (t *telling) leaves(name, value string) {
	if t.state != nil && !t.process.dead {
		t.state[name] = value
	}
}

// recover makes the story of each key what the disk says after an end of the process.
// Whoever has the key there has found what it had found before: what was left to it
// was durable before it was at work.
func (c *chronicle) recover() {
	for _, s := range c.subjects {
		if s.found == nil {
			continue
		}
		record, object := c.w.record(s.id)
		if record == nil {
			s.found = nil
			continue
		}
		if head := c.w.head(record.ID.Partition(), object); head == nil || head.Holder != record.Birth {
			s.found = nil
		}
	}
	for name, k := range c.keys {
		if k.left == nil {
			continue
		}
		disturbed := k.last != nil && c.disturbed[k.last.name]
		k.left, k.last = c.w.state(ident.KeyPartitionKey(name).Partition(), ident.ObjectKey{Service: serviceObject, Key: name}), nil
		if disturbed {
			forgetState(k.left)
		}
	}
}

// judgeState judges what is on the disk when all is over.
func (w *world) judgeState(key string, state map[string]string) {
	k := w.chronicle.keys[key]
	if k == nil || k.left == nil || k.edited || k.last != nil && w.chronicle.disturbed[k.last.name] {
		return
	}
	for _, name := range stateNames() {
		if want := k.left[name]; want != unsure && want != state[name] {
			w.loop.fail(InvariantPrefix, "%s of %s is %.40q in the end, and %.40q was left there", name, key, state[name], want)
		}
	}
}

// patchesWait reports whether a patch of some key waits for its turn, by what is durable.
func (w *world) patchesWait() (wait bool) {
	w.look(func(r persistence.Reader) error {
		return eachRow(r, machine.TablePatch, func(machine.Row) { wait = true })
	})
	return wait
}

func cloneState(state map[string]string) map[string]string {
	clone := make(map[string]string, len(state))
	maps.Copy(clone, state)
	return clone
}

func forgetState(state map[string]string) {
	for _, name := range stateNames() {
		state[name] = unsure
	}
}
