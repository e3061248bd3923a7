package actors

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
	restate "github.com/dormouse-run/dormouse/objects"
)

// list follows the cursors and returns the items as "target status".
func (b *bench) list(f query.InvocationFilter) (items []string) {
	b.t.Helper()
	for {
		page, err := b.rt.Invocations(b.t.Context(), f)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, item := range page.Items {
			word := item.Row.Status.String()
			if item.Live.Running {
				word = "running"
			}
			items = append(items, item.Row.Target.String()+" "+word)
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return items
		}
	}
}

func statusSet(words ...string) (set query.Statuses) {
	for _, s := range query.EachStatus() {
		if slices.Contains(words, s.String()) {
			set |= s
		}
	}
	return set
}

func TestListsFollowTheLivesOfInvocations(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: time.Minute}, func(t *testing.T, b *bench) {
		call(b, ask("Counter", "c", "add", 1))
		waiting := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		send(b, ask("Desk", "x", "ask", "y"))
		later := ask("Counter", "c", "add", 2)
		later.Delay = new(time.Hour)
		send(b, later)
		synctest.Wait()
		want := []string{"Counter/c/add scheduled", "Desk/x/ask pending", "Desk/x/ask running", "Counter/c/add completed"}
		if got := b.list(query.InvocationFilter{Limit: 1}); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := b.list(query.InvocationFilter{Statuses: statusSet("running", "paused")}); !slices.Equal(got, want[2:3]) {
			t.Errorf("running: %q", got)
		}
		if got := b.list(query.InvocationFilter{Statuses: statusSet("ready")}); len(got) != 0 {
			t.Errorf("ready: %q", got)
		}
		advance(2 * time.Minute)
		synctest.Wait()
		if got := b.list(query.InvocationFilter{Statuses: statusSet("suspended")}); !slices.Equal(got, []string{"Desk/x/ask suspended"}) {
			t.Errorf("suspended: %q", got)
		}
		if _, err := b.rt.Operate(t.Context(), machine.OpPause, waiting); err != nil {
			t.Fatal(err)
		}
		b.crash()
		key := "x"
		if got := b.list(query.InvocationFilter{Key: &key, OldestFirst: true}); !slices.Equal(got, []string{"Desk/x/ask paused", "Desk/x/ask pending"}) {
			t.Errorf("of a key, after a crash: %q", got)
		}
		if _, err := b.rt.Operate(t.Context(), machine.OpKill, waiting); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.list(query.InvocationFilter{Statuses: statusSet("paused", "suspended", "pending")}); len(got) != 0 {
			t.Errorf("after the kill: %q", got)
		}
	})
}

func TestAQueuedInvocationTellsItsPlace(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		send(b, ask("Desk", "x", "ask", "first"))
		var queued []ident.InvocationID
		for i := range 3 {
			queued = append(queued, send(b, ask("Desk", "x", "ask", fmt.Sprint(i))))
		}
		synctest.Wait()
		for _, removed := range []int{0, 1} {
			for i, id := range queued[removed:] {
				in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if in.Place.Position != i+1 || in.Place.QueuedAt != in.Invocation.CreatedAt {
					t.Errorf("with %d removed, place %d is %+v", removed, i+1, in.Place)
				}
			}
			if _, err := b.rt.Operate(t.Context(), machine.OpCancel, queued[0]); err != nil && removed == 0 {
				t.Fatal(err)
			}
			synctest.Wait()
		}
	})
}

// TestStartUpNamesWhatIsStuck: nobody else tells whoever has deployed a build
// that invocations are paused, or wait for a handler that it does not have.
func TestStartUpNamesWhatIsStuck(t *testing.T) {
	t.Parallel()
	w := &world{}
	var log lockedLog
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, b *bench) {
		var ids []ident.InvocationID
		for i := range 12 {
			ids = append(ids, send(b, ask("Desk", fmt.Sprint(i), "ask", fmt.Sprint(i))))
		}
		synctest.Wait()
		advance(time.Minute)
		paused := ids[3]
		if _, err := b.rt.Operate(t.Context(), machine.OpPause, paused); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := warnings(&log); strings.Contains(got, "paused") || strings.Contains(got, "bound") {
			t.Errorf("warned of nothing: %s", got)
		}
		b.options.Services = []restate.ServiceDefinition{w.services()[1]}
		b.crash()
		advance(time.Minute)
		got := warnings(&log)
		if n := strings.Count(got, "invocations are paused"); n != 1 || !strings.Contains(got, "invocations=1 some=["+paused.String()+"]") {
			t.Errorf("paused: %s", got)
		}
		if n := strings.Count(got, "not bound in this build, or"); n != 1 || !strings.Contains(got, "invocations=12 ") || !strings.Contains(got, "Desk/ask:12") {
			t.Errorf("unbound: %s", got)
		}
		if named := strings.Count(got, "inv_1"); named != 1+stuckNamed {
			t.Errorf("%d invocations are named", named)
		}
		b.options.Services = w.services()
		b.crash()
		advance(time.Minute)
		if got := warnings(&log); strings.Contains(got, "bound") {
			t.Errorf("after the repair: %s", got)
		}
	})
}

// warnings returns the warnings since the last call, and forgets them.
func warnings(l *lockedLog) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, "level=WARN") {
			lines = append(lines, line)
		}
	}
	l.buf.Reset()
	return strings.Join(lines, "")
}
