package sim

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// answerLater answers an awakeable, more than once, some time from now.
func (w *world) answerLater(s *subject, id string, more int) {
	a := w.chronicle.awakeables[id]
	if a == nil {
		a = new(awakeable)
		w.chronicle.awakeables[id] = a
	}
	a.owner = s.id
	for range 1 + more {
		w.task("answer", func() {
			w.loop.world.sleep(w.loop.between(0, 100*time.Millisecond))
			w.answer(id)
		})
	}
}

func (w *world) answer(text string) {
	id, err := ident.ParseAwakeableID(text)
	if err != nil {
		w.loop.fail(InvariantAcked, "the awakeable %q: %v", text, err)
		return
	}
	a := w.chronicle.awakeables[text]
	n := &answer{value: "a" + itoa(len(a.answers)) + "." + text, asked: w.loop.steps}
	a.answers = append(a.answers, n)
	value, _ := json.Marshal(n.value)
	w.insist("resolve", func(rt *actors.Runtime) error {
		before, _ := w.record(id.Invocation.String())
		outcome, err := rt.Signal(context.Background(), id.Invocation, journal.SignalID(id.Index), journal.ValueOf(value))
		if err != nil {
			return err
		}
		// One that came between two lives is acknowledged, and is nobody's.
		if before != nil && outcome != actors.SignalCompleted && w.judgeAnswer(id, before.Birth) {
			n.acked = w.loop.steps
		}
		return nil
	})
}

// judgeAnswer judges the acknowledgement of an answer to one life of an invocation:
// it is stored, or nobody needs it. It reports whether that life still waits.
func (w *world) judgeAnswer(id ident.AwakeableID, birth ident.Seq) (needed bool) {
	record, _ := w.record(id.Invocation.String())
	if record == nil || record.Status == machine.StatusCompleted || record.Birth != birth {
		return false
	}
	if w.row((&machine.SignalRow{Partition: record.ID.Partition(), Birth: record.Birth, Index: id.Index}).Key()) == nil {
		w.loop.fail(InvariantAcked, "an answer of %s is acknowledged and not durable", id)
	}
	return true
}

// signalLater sends a named signal, some time from now.
func (w *world) signalLater(s *subject, id, name string) {
	w.task("signal", func() {
		w.loop.world.sleep(w.loop.between(0, 100*time.Millisecond))
		parsed, err := ident.ParseInvocationID(id)
		if err != nil {
			w.loop.fail(InvariantAcked, "the id %q: %v", id, err)
			return
		}
		value, _ := json.Marshal("s." + name + "." + id)
		w.insist("signal", func(rt *actors.Runtime) error {
			_, err := rt.Signal(context.Background(), parsed, journal.NamedSignalID(name), journal.ValueOf(value))
			return err
		})
	})
}

// pokeLater resolves the promise of a workflow, some time from now.
func (w *world) pokeLater(key string) {
	w.task("poke", func() {
		w.loop.world.sleep(w.loop.between(0, 100*time.Millisecond))
		body, _ := json.Marshal("poked " + key)
		w.once(actors.Request{Service: serviceWorkflow, Key: key, Handler: handlerPoke, Body: body, Origin: machine.ByProcess})
	})
}
