package actors

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// TestACrashAtAnyCommitOfPatchPauseAndRestartLosesNothing ends the process at each
// commit of a story in which a handler with hidden awakeables is paused while a
// patch waits behind it, is resumed and answered, and is then restarted with a
// part of its journal, which has a payload in chunks; the old journal goes.
func TestACrashAtAnyCommitOfPatchPauseAndRestartLosesNothing(t *testing.T) {
	t.Parallel()
	crashAtEach(t, 20, crashWithinAdmin)
}

// archive is an object whose handler keeps a large payload in its journal.
func archive(w *world) restate.ServiceDefinition {
	file := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		page, err := restate.Run(ctx, func(restate.RunContext) (string, error) { return strings.Repeat("p", 600<<10), nil })
		if err != nil {
			return "", err
		}
		a := restate.Awakeable[string](ctx)
		if err := restate.RunVoid(ctx, func(restate.RunContext) error { w.put("page", a.Id()); return nil }); err != nil {
			return "", err
		}
		answer, err := a.Result()
		if err != nil {
			return "", err
		}
		title, err := restate.Get[string](ctx, "title")
		return fmt.Sprintf("%d %s %q", len(page), answer, title), err
	}
	return restate.NewObject("Archive").
		Handler("file", restate.NewObjectHandler(file, restate.WithUnguessableAwakeables(true))).
		Handler("title", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			return restate.Get[string](ctx, "title")
		}))
}

// persistent repeats requests until the runtime of today answers them.
type persistent struct {
	t  *testing.T
	rt atomic.Pointer[Runtime]
}

func (p *persistent) do(request func(*Runtime) error) {
	for {
		err := request(p.rt.Load())
		var unknown *OutcomeUnknownError
		if !errors.Is(err, ErrStopped) && !errors.As(err, &unknown) {
			if err != nil {
				p.t.Error(err)
			}
			return
		}
		<-time.After(time.Second)
	}
}

// operate does an operation, which may have been done before the crash.
func (p *persistent) operate(op machine.Operation, id ident.InvocationID) {
	p.do(func(rt *Runtime) error {
		_, err := rt.Operate(p.t.Context(), op, id)
		return err
	})
}

func crashWithinAdmin(t *testing.T, n int, durable bool) {
	w := &world{}
	b := newBench(t, Options{Services: []restate.ServiceDefinition{archive(w)}, Linger: -1, InactivityTimeout: -1})
	q := ask("Archive", "x", "file", nil)
	q.IdempotencyKey = "k"
	var id, made ident.InvocationID
	old, filed := `"614400 yes \"\""`, `"614400 yes \"patched\""`
	story, p := make(chan struct{}), &persistent{t: t}
	p.rt.Store(b.rt)
	h := b.hold()
	go func() {
		defer close(story)
		p.do(func(rt *Runtime) error { a, err := rt.Send(t.Context(), q); id = a.ID; return err })
		w.awaitPut("page")
		p.operate(machine.OpPause, id)
		patch := StatePatch{Service: "Archive", Key: "x", State: map[string][]byte{"title": []byte(`"patched"`), "more": make([]byte, 300<<10)}}
		p.do(func(rt *Runtime) error { return rt.EditState(t.Context(), patch) })
		p.operate(machine.OpResume, id)
		p.do(func(rt *Runtime) error {
			page := w.awakeable(t, "page")
			_, err := rt.Signal(t.Context(), page.Invocation, signalOf(page), valueOf("yes"))
			return err
		})
		p.do(func(rt *Runtime) error { _, err := rt.Attach(t.Context(), id); return err })
		p.do(func(rt *Runtime) (err error) { made, err = rt.RestartAsNew(t.Context(), id, 5); return err })
		p.operate(machine.OpPurgeJournal, id)
	}()
	b.crashAfter(h, n, durable, 5*time.Second)
	p.rt.Store(b.rt)
	<-story
	wantValue(t, attach(b, id), old)
	wantValue(t, attach(b, made), filed)
	wantValue(t, call(b, ask("Archive", "x", "title", nil)).Result, `"patched"`)
	if _, err := b.rt.RestartAsNew(t.Context(), id, 5); !errors.Is(err, ErrJournalGone) {
		t.Errorf("a restart without a journal gives %v", err)
	}
	advance(time.Minute)
	b.wantEmpty(machine.TableInbox, machine.TablePatch, machine.TableChore, machine.TableActive, machine.TableStatus, machine.TablePending)
	b.close()
}

// awaitPut waits until a handler has handed out an id.
func (w *world) awaitPut(key string) {
	for {
		w.mu.Lock()
		there := w.ids[key] != ""
		w.mu.Unlock()
		if there {
			return
		}
		<-time.After(time.Second)
	}
}
