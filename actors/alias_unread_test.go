package actors

import (
	"testing"
	"testing/synctest"

	restate "github.com/dormouse-run/dormouse/objects"
)

// TestAnswersByAliasAreNotCountedOnceTheyAreTaken answers awakeables of a handler
// that takes each of them at once and stays in memory.
func TestAnswersByAliasAreNotCountedOnceTheyAreTaken(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]bool{"by id": false, "by alias": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			poll := func(ctx restate.ObjectContext, n int) (int, error) {
				for range n {
					a := restate.Awakeable[string](ctx)
					w.put("poll", a.Id())
					if _, err := a.Result(); err != nil {
						return 0, err
					}
				}
				return n, nil
			}
			services := []restate.ServiceDefinition{restate.NewObject("Poll").
				Handler("poll", restate.NewObjectHandler(poll, restate.WithUnguessableAwakeables(hidden)))}
			inBubble(t, Options{Services: services}, func(t *testing.T, b *bench) {
				id := send(b, ask("Poll", "x", "poll", 21))
				synctest.Wait()
				for range 20 {
					if got := b.resolve(w, "poll", "yes"); got != SignalApplied {
						t.Fatalf("an answer is %v", got)
					}
					synctest.Wait()
				}
				in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
				if err != nil || in.Invocation.Unread > 1 {
					t.Errorf("20 answers were taken, and %d count as not taken (%v)", in.Invocation.Unread, err)
				}
				b.resolve(w, "poll", "yes")
				wantValue(t, attach(b, id), "21")
			})
		})
	}
}
