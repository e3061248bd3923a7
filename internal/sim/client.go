package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// serve does what a request of the plan says.
func (w *world) serve(r *Request) {
	w.loop.world.sleep(time.Duration(r.At) * time.Millisecond)
	q := w.request(r)
	switch r.Kind {
	case RequestSend:
		w.send(q, r.Program.Name)
	case RequestKill:
		w.operateOne(machine.OpKill)
	case RequestCancel:
		w.operateOne(machine.OpCancel)
	case RequestPause:
		w.pauseOne(r.Times)
	case RequestReuse:
		w.reuse(q, &r.Program, r.Times)
	case RequestAttach:
		w.attach()
	case RequestPurge:
		w.purge(r.Times)
	case RequestRestart:
		w.restart(r.Times)
	case RequestPatch:
		w.patch(q.Key, r.Program.Name, r.Times)
	case RequestPressure:
		w.disk.scarce++
		w.loop.world.sleep(w.loop.between(0, 100*time.Millisecond))
		w.disk.scarce = 0
	case RequestListen:
		w.pokeLater(q.Key)
		for range r.Times {
			w.task("listener", func() {
				w.loop.world.sleep(w.loop.between(0, 10*time.Millisecond))
				w.call(q)
			})
		}
	case RequestOnce:
		for range r.Times {
			w.once(q)
		}
	default:
		w.call(q)
	}
}

// request makes the request of a plan one of the runtime.
func (w *world) request(r *Request) actors.Request {
	q := actors.Request{Service: serviceObject, Key: keyName(r.Key), Handler: handlerRun, Origin: machine.ByProcess}
	body := any(r.Program)
	switch r.Kind {
	case RequestShared:
		q.Handler = handlerShared
	case RequestService:
		q.Service = servicePlain
	case RequestWorkflow:
		q.Service, q.Key = serviceWorkflow, keyName(r.Key)
	case RequestPoke:
		q.Service, q.Key, q.Handler = serviceWorkflow, keyName(r.Key), handlerPoke
		body = "poked " + r.Program.Name
	case RequestListen:
		q.Service, q.Key, q.Handler = serviceWorkflow, keyName(r.Key), handlerListen
	case RequestKnot:
		q.Service = serviceKnot
	case RequestOnce, RequestReuse:
		q.IdempotencyKey = "once " + r.Program.Name
	}
	if r.Delay > 0 && r.Kind == RequestSend {
		q.Delay = new(time.Duration(r.Delay) * time.Millisecond)
	}
	q.Body, _ = json.Marshal(body)
	return q
}

// call calls a handler, and judges the answer. When the process ends first, nobody
// knows what came of it.
func (w *world) call(q actors.Request) (answered bool) {
	var response actors.Response
	var err error
	lost := w.ask(func(rt *actors.Runtime) {
		response, err = rt.Call(context.Background(), q)
		if err == nil {
			w.judgeResult(response)
		}
	})
	return !lost && w.judgeError("call", err)
}

// once repeats a call until it is answered.
func (w *world) once(q actors.Request) {
	for !w.call(q) {
		w.loop.world.sleep(w.loop.between(0, 20*time.Millisecond))
	}
}

// send sends, and judges the acknowledgement: it is durable, unless the program was
// ended in the queue meanwhile, or nothing is kept of it.
func (w *world) send(q actors.Request, name string) {
	asked := w.loop.steps
	lost := w.ask(func(rt *actors.Runtime) {
		accepted, err := rt.Send(context.Background(), q)
		if !w.judgeError("send", err) {
			return
		}
		id := accepted.ID.String()
		if !w.onDisk(id) && w.plan.Retention > 0 && !w.chronicle.disturbed[name] {
			w.loop.fail(InvariantAcked, "the send of %s is acknowledged and not durable", id)
		}
		if q.Delay == nil {
			k := w.chronicle.key(q.Key)
			k.arrivals = append(k.arrivals, arrival{id: id, asked: asked, acked: w.loop.steps})
		}
	})
	_ = lost // then nobody knows what came of it
}

// judgeError reports whether there is an answer; an error must be one that says
// that the process ends.
func (w *world) judgeError(what string, err error) bool {
	var unknown *actors.OutcomeUnknownError
	var quarantined *actors.QuarantinedError
	switch {
	case err == nil:
		w.stats.Acked++
		w.loop.note("%s is acknowledged", what)
		return true
	case errors.As(err, &unknown), errors.Is(err, actors.ErrStopped), errors.Is(err, actors.ErrLowSpace):
		return false
	case errors.As(err, &quarantined):
		w.loop.fail(InvariantPrefix, "%s: %v", what, err)
		return false
	default:
		w.loop.fail(InvariantAcked, "%s: %v", what, err)
		return false
	}
}

// judgeResult judges the result of a call: it is durable, and it is the one.
func (w *world) judgeResult(r actors.Response) {
	id := r.ID.String()
	record, _ := w.record(id)
	switch {
	case r.Result.Failure != nil && strings.Contains(r.Result.Failure.Message, "has been started before"),
		r.Result.Failure != nil && strings.Contains(r.Result.Failure.Message, "has outlived its retention"):
		// A second run is refused under the id of the first.
	case w.purged[id]:
		// It may be gone between the answer and this look, or have another life.
	case record == nil && r.Result.Failure != nil && (r.Result.Failure.Code == 409 || r.Result.Failure.Code == 508):
		// It was ended while it waited for its turn, or could never have it: nothing
		// is kept of that.
	case record == nil && w.plan.Retention == 0:
		// Nothing is kept.
	case record == nil:
		w.loop.fail(InvariantAcked, "the result of %s is told (%s %v), and there is no record of it", id, r.Result.Value, r.Result.Failure)
	case record.Status != machine.StatusCompleted:
		w.loop.fail(InvariantAcked, "the result of %s is told while it is %s by what is durable", id, record.Status)
	case string(record.Result.Value) != string(r.Result.Value) || record.Result.Kind != r.Result.Kind:
		w.loop.fail(InvariantAcked, "the result of %s is %q, and %q was told", id, record.Result.Value, r.Result.Value)
	}
}

// pick returns some invocation that is at work by what is durable, or one that is
// complete, "" for none.
func (w *world) pick(complete bool) string {
	var ids []ident.InvocationID
	w.look(func(r persistence.Reader) error {
		return eachRow(r, machine.TableInvocation, func(row machine.Row) {
			if record := row.(*machine.InvocationRow); (record.Status == machine.StatusCompleted) == complete {
				ids = append(ids, record.ID)
			}
		})
	})
	if len(ids) == 0 {
		return ""
	}
	return ids[w.loop.rand.IntN(len(ids))].String()
}

// operateOne cancels or kills some invocation.
func (w *world) operateOne(op machine.Operation) {
	if id := w.pick(false); id != "" && w.disturb(id) {
		w.operation(op, id)
	}
}

// disturb notes that an invocation, and what it calls, may end in any way. One that
// performs no program is left alone, because somebody waits for it.
func (w *world) disturb(id string) bool {
	record, _ := w.record(id)
	if record == nil {
		return false
	}
	p := w.program(record)
	if p != nil {
		w.chronicle.disturb(p)
	}
	return p != nil
}

// program returns what an invocation performs, nil when it performs no program.
func (w *world) program(record *machine.InvocationRow) *Program {
	_, text, found := bytes.Cut(w.journal(record)[0].Body, []byte(`{"n":`))
	if !found {
		return nil
	}
	p := new(Program)
	if err := json.NewDecoder(bytes.NewReader(append([]byte(`{"n":`), text...))).Decode(p); err != nil {
		w.loop.fail(InvariantJournal, "the input of %s: %v", record.ID, err)
		return nil
	}
	return p
}

// misfits reports whether an invocation has failed because its journal was written by
// another build. Its attempts may be used up before that is back.
func misfits(record *machine.InvocationRow) bool {
	n := len(record.Failures)
	return n > 0 && record.Failures[n-1].Code == 570
}

// insist repeats a request until it is acknowledged, or refused because of what its
// invocation is.
func (w *world) insist(what string, fn func(*actors.Runtime) error) {
	for {
		var err error
		var status *actors.StatusError
		lost := w.ask(func(rt *actors.Runtime) { err = fn(rt) })
		switch {
		case lost:
		case errors.As(err, &status), errors.Is(err, actors.ErrUnknownInvocation):
			return
		case w.judgeError(what, err):
			return
		}
		w.loop.world.sleep(w.loop.between(0, 20*time.Millisecond))
	}
}

// reuse gives one id several lives. What belongs to an earlier one may arrive in a
// later one, and must not count there.
func (w *world) reuse(q actors.Request, p *Program, times int) {
	w.chronicle.disturb(p)
	for range times {
		var id ident.InvocationID
		w.insist("send", func(rt *actors.Runtime) error {
			accepted, err := rt.Send(context.Background(), q)
			id = accepted.ID
			return err
		})
		w.loop.world.sleep(w.loop.between(0, 60*time.Millisecond))
		w.operation(machine.OpKill, id.String())
		w.purged[id.String()] = true
		w.insist("purge", func(rt *actors.Runtime) error {
			_, err := rt.Operate(context.Background(), machine.OpPurge, id)
			return err
		})
		if !w.onDisk(id.String()) {
			w.chronicle.forget(id.String())
		}
	}
}
