package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func TestRoutesOfOperations(t *testing.T) {
	t.Parallel()
	id := "/invocations/" + testID.String()
	made := ident.NewInvocationID(2, [16]byte{15: 2})
	rows := []struct {
		method, target string
		err            error
		from           uint32
		status         int
		body           string
	}{
		{"PATCH", id + "/restart-as-new", nil, 0, 200, `{"new_invocation_id":"` + made.String() + `"}`},
		{"PATCH", id + "/restart-as-new?from=7&deployment=keep", nil, 7, 200, `{"new_invocation_id":"` + made.String() + `"}`},
		{"PATCH", id + "/restart-as-new?from=-1", nil, 0, 400, "message"},
		{"PATCH", id + "/restart-as-new?from=", nil, 0, 400, "message"},
		{"PATCH", id + "/restart-as-new?from=99999999999", nil, 0, 400, "message"},
		{"PATCH", id + "/restart-as-new?deployment=dp_1", nil, 0, 400, "message"},
		{"PATCH", "/invocations/nonsense/restart-as-new", nil, 0, 400, "message"},
		{"PATCH", id + "/restart-as-new", actors.ErrUnknownInvocation, 0, 404, "message"},
		{"PATCH", id + "/restart-as-new", actors.ErrUnknownService, 0, 404, "message"},
		{"PATCH", id + "/restart-as-new", actors.ErrJournalGone, 0, 410, "message"},
		{"PATCH", id + "/restart-as-new", fmt.Errorf("restart: %w", actors.ErrNotRestartable), 0, 422, "message"},
		{"PATCH", id + "/restart-as-new", fmt.Errorf("%w: %w", actors.ErrInvalid, &machine.RestartError{Index: 3, Reason: "is odd"}), 0, 400, "message"},
		{"PATCH", id + "/restart-as-new", &actors.StatusError{Op: machine.OpRestartAsNew, Status: machine.StatusPending, TooEarly: true}, 0, 425, "message"},
		{"PATCH", id + "/restart-as-new", &actors.StatusError{Op: machine.OpRestartAsNew, Status: machine.StatusPaused}, 0, 409, "message"},
		{"PATCH", id + "/restart-as-new", actors.ErrLowSpace, 0, 507, "message"},
		{"POST", id + "/restart-as-new", nil, 0, 405, "message"},
		{"GET", id + "/purge-journal", nil, 0, 405, "message"},
		{"PATCH", id + "/purge-journal", nil, 0, 200, ""},
		{"GET", "/internal/invocations_batch_operations/kill", nil, 0, 405, "message"},
		{"POST", "/internal/invocations_batch_operations/explode", nil, 0, 404, "message"},
		{"GET", "/services/Obj/state", nil, 0, 405, "message"},
	}
	for _, row := range rows {
		t.Run(row.method+" "+row.target, func(t *testing.T) {
			t.Parallel()
			f := &fakeRuntime{operate: func(machine.Operation, ident.InvocationID) (bool, error) { return false, row.err }}
			f.restart = func(of ident.InvocationID, from uint32) (ident.InvocationID, error) {
				if of != testID || from != row.from {
					t.Errorf("restart %v from %d", of, from)
				}
				return made, row.err
			}
			w := ask(testServer(t, f, Options{}).AdminHandler(), row.method, row.target, "")
			if w.Code != row.status {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if row.body == "message" {
				checkAdminError(t, w)
			} else if w.Body.String() != row.body {
				t.Errorf("got %s", w.Body)
			}
		})
	}
}

func TestAStatePatchIsRead(t *testing.T) {
	t.Parallel()
	rows := []struct {
		body   string
		err    error
		status int
		want   string
	}{
		{`{"object_key":"st","new_state":{"count":[52,50]}}`, nil, 202, `Obj/st "" map[count:42]`},
		{`{"object_key":"","version":"v1","new_state":{}}`, nil, 202, `Obj/ "v1" map[]`},
		{`{"object_key":"k","version":null,"new_state":{"a":[ 0 , 255 ],"b":[]},"other":1}`, nil, 202, "Obj/k \"\" map[a:\x00\xff b:]"},
		{`{"new_state":{}}`, nil, 422, ""},
		{`{"object_key":"k"}`, nil, 422, ""},
		{`{"object_key":"k","new_state":null}`, nil, 422, ""},
		{`{"object_key":1,"new_state":{}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":"42"}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":null}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":[256]}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":[-1]}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":[1.5]}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":[1e2]}}`, nil, 422, ""},
		{`{"object_key":"k","new_state":{"a":[[1]]}}`, nil, 422, ""},
		{`[]`, nil, 422, ""},
		{``, nil, 400, ""},
		{`{"object_key":"k","new_state":{}} x`, nil, 400, ""},
		{`{"object_key":"k`, nil, 400, ""},
		{"{\"object_key\":\"\xff\",\"new_state\":{}}", nil, 400, ""},
		{`{"object_key":"k","new_state":{}}`, actors.ErrUnknownService, 404, ""},
		{`{"object_key":"k","new_state":{}}`, actors.ErrInvalid, 400, ""},
		{`{"object_key":"k","new_state":{}}`, actors.ErrTooLarge, 413, ""},
		{`{"object_key":"k","new_state":{}}`, actors.ErrStopped, 503, ""},
		{`{"object_key":"k","new_state":{"a":[` + strings.Repeat("1,", 600) + `1]}}`, nil, 413, ""},
	}
	for _, row := range rows {
		got := ""
		f := &fakeRuntime{}
		f.edit = func(p actors.StatePatch) error {
			got = fmt.Sprintf("%s/%s %q %s", p.Service, p.Key, p.Version, p.State)
			return row.err
		}
		w := ask(testServer(t, f, Options{MaxBody: 1000}).AdminHandler(), "POST", "/services/Obj/state", row.body)
		if w.Code != row.status {
			t.Errorf("%s: %d %s", row.body, w.Code, w.Body)
			continue
		}
		if w.Code != 202 {
			checkAdminError(t, w)
		} else if got != row.want || w.Body.Len() > 0 {
			t.Errorf("%s: %q", row.body, got)
		}
	}
}

func FuzzParsePatch(f *testing.F) {
	for _, s := range []string{`{"object_key":"st","version":"v","new_state":{"count":[52,50]}}`, `{"object_key":"","new_state":{"":[]}}`, `[`, `{"new_state":{"a":[256]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, fail := parsePatch(body)
		if fail != nil {
			if fail.status != 400 && fail.status != 422 {
				t.Fatalf("%q: %v", body, fail)
			}
			return
		}
		state := map[string][]int{}
		for name, value := range p.State {
			state[name] = []int{}
			for _, b := range value {
				state[name] = append(state[name], int(b))
			}
		}
		again, err := json.Marshal(map[string]any{"object_key": p.Key, "new_state": state})
		if err != nil {
			t.Fatal(err)
		}
		same, fail := parsePatch(again)
		if fail != nil || same.Key != p.Key || len(same.State) != len(p.State) {
			t.Fatalf("%q was read as %s, which is read as %v, %v", body, again, same, fail)
		}
		for name := range p.State {
			if !bytes.Equal(p.State[name], same.State[name]) {
				t.Fatalf("%q: %q is %v and %v", body, name, p.State[name], same.State[name])
			}
		}
	})
}

func TestABatchAnswersInTheOrderInWhichItWasAsked(t *testing.T) {
	t.Parallel()
	var ids []string
	index := map[ident.InvocationID]int{}
	for i := range maxBatch {
		id := ident.NewInvocationID(1, [16]byte{0: 1, 14: byte(i >> 8), 15: byte(i)})
		ids, index[id] = append(ids, id.String()), i
	}
	body := `{"invocation_ids":["` + strings.Join(ids, `","`) + `"]}`
	odd := func(id ident.InvocationID) error {
		if index[id]%2 == 1 {
			return &actors.StatusError{Op: machine.OpKill, ID: id, Status: machine.StatusCompleted}
		}
		return nil
	}
	f := &fakeRuntime{operate: func(op machine.Operation, id ident.InvocationID) (bool, error) {
		return op == machine.OpCancel, odd(id)
	}}
	f.restart = func(id ident.InvocationID, _ uint32) (ident.InvocationID, error) { return id, odd(id) }
	h := testServer(t, f, Options{}).AdminHandler()
	for _, op := range operations() {
		w := ask(h, "POST", "/internal/invocations_batch_operations/"+op.String(), body)
		var got struct {
			Succeeded []json.RawMessage
			Failed    []struct {
				ID    string `json:"invocation_id"`
				Error string
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d, %v", op, w.Code, err)
		}
		if len(got.Succeeded) != maxBatch/2 || len(got.Failed) != maxBatch/2 {
			t.Fatalf("%s: %d and %d", op, len(got.Succeeded), len(got.Failed))
		}
		for i := range maxBatch / 2 {
			want := `"` + ids[2*i] + `"`
			if op == machine.OpRestartAsNew {
				want = `{"old_invocation_id":` + want + `,"new_invocation_id":` + want + `}`
			}
			if string(got.Succeeded[i]) != want || got.Failed[i].ID != ids[2*i+1] || !strings.Contains(got.Failed[i].Error, "it is completed") {
				t.Fatalf("%s: at %d are %s and %+v", op, i, got.Succeeded[i], got.Failed[i])
			}
		}
	}
}

func TestABatchNamesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{operate: func(machine.Operation, ident.InvocationID) (bool, error) { panic("odd") }}
	h := testServer(t, f, Options{}).AdminHandler()
	kill := "/internal/invocations_batch_operations/kill"
	for body, status := range map[string]int{
		`{"invocation_ids":[` + strings.Repeat(`"a",`, maxBatch) + `"a"]}`: 400, ``: 400, `[]`: 400, `{}`: 400, `{"invocation_ids":null}`: 400, `{"invocation_ids":[1]}`: 400,
	} {
		w := ask(h, "POST", kill, body)
		if w.Code != status {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
		checkAdminError(t, w)
	}
	if w := ask(h, "POST", "/internal/invocations_batch_operations/resume?deployment=x", `{"invocation_ids":[]}`); w.Code != 400 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(h, "POST", kill, `{"invocation_ids":[]}`); w.Code != 200 || w.Body.String() != `{"succeeded":[],"failed":[]}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w := ask(h, "POST", kill, `{"invocation_ids":["nonsense","`+testID.String()+`"]}`)
	if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, `"nonsense","error":`) || !strings.Contains(got, "internal error") || strings.Contains(got, "odd") {
		t.Errorf("got %d %s", w.Code, got)
	}
}

// TestABatchDoesSomeAtATime counts how many operations are under way, and what is
// begun once its client has left.
func TestABatchDoesSomeAtATime(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}, maxBatch), make(chan struct{})
	f := &fakeRuntime{operate: func(machine.Operation, ident.InvocationID) (bool, error) {
		begun <- struct{}{}
		<-ended
		return false, nil
	}}
	s := testServer(t, f, Options{})
	ids := make([]string, 10*batchWidth)
	for i := range ids {
		ids[i] = testID.String()
	}
	failed := make(chan error)
	go func() {
		_, err := s.performAll(ctx, machine.OpKill, ids, operationParams{})
		failed <- err
	}()
	for range batchWidth {
		<-begun
	}
	leave()
	close(ended)
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := len(begun); n > 0 {
		t.Errorf("%d more were begun after the client had left", n)
	}
}
