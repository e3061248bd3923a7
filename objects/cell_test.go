package objects

import (
	"reflect"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestACellReadsWhatItWrites, with one codec, whether state is lazy or not, and
// however the handler is cut.
func TestACellReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	count, raw := StateCell[int]("count"), StateCell[[]byte]("raw", WithBinary)
	for _, lazy := range []bool{false, true} {
		cuts := 0
		for cut := 0; cut <= cuts; cut++ {
			e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) ([]any, error) {
				none, found, err := count.Get(ctx)
				count.Set(ctx, 0)
				zero, there, err2 := count.Get(ctx)
				raw.Set(ctx, []byte{0xff, 1})
				bytes, _, err3 := raw.Get(ctx)
				count.Clear(ctx)
				_, cleared, err4 := count.Get(ctx)
				count.Set(ctx, 7)
				return []any{none, found, zero, there, bytes, !cleared, err == nil && err2 == nil && err3 == nil && err4 == nil}, nil
			}))
			e.lazy, e.suspends = lazy, true
			if got := e.finish(cut); string(got.Value) != `[0,false,0,true,"/wE=",true,true]` {
				t.Errorf("lazy %v, cut %d: %s", lazy, cut, got.Value)
			}
			if want := map[string][]byte{"count": []byte("7"), "raw": {0xff, 1}}; !reflect.DeepEqual(e.state, want) {
				t.Errorf("lazy %v, cut %d: %q", lazy, cut, e.state)
			}
			if cut == 0 {
				cuts = e.calls
			}
		}
	}
}

// TestACellIsTheStateValueOfItsName: Get, Set and it are one, and a shared handler
// reads it. The zero value has the empty name.
func TestACellIsTheStateValueOfItsName(t *testing.T) {
	t.Parallel()
	cell := StateCell[string]("name")
	e := newEngine(t, NewObjectSharedHandler(func(ctx ObjectSharedContext, _ string) (string, error) {
		v, _, err := cell.Get(ctx)
		return v, err
	}))
	e.state["name"] = []byte(`"mouse"`)
	if got := e.finish(0); string(got.Value) != `"mouse"` || e.target.Kind != ident.KindShared {
		t.Errorf("%+v", got)
	}
	e = newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		cell.Set(ctx, "dormouse")
		Cell[int]{}.Set(ctx, 1)
		return Get[string](ctx, "name")
	}))
	if got := e.finish(0); string(got.Value) != `"dormouse"` || string(e.state[""]) != "1" {
		t.Errorf("%+v, %q", got, e.state)
	}
}

// TestACellThatDoesNotDecodeIsRetryable, like state.
func TestACellThatDoesNotDecodeIsRetryable(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) {
		n, _, err := StateCell[int]("n").Get(ctx)
		return n, err
	}))
	e.state["n"] = []byte(`"text"`)
	if o := e.attempt(0); o.Kind != OutcomeFailed || o.Failure.CommandType != journal.TypeGetEagerState {
		t.Errorf("%+v", o)
	}
}

// TestTheNameOfACellIsBounded: what is too long is 400 for Get and ends the
// invocation for Set.
func TestTheNameOfACellIsBounded(t *testing.T) {
	t.Parallel()
	long := StateCell[int](string(make([]byte, maxNameBytes+1)))
	for name, use := range map[string]func(ctx ObjectContext) TerminalError{
		"get":   func(ctx ObjectContext) TerminalError { _, _, err := long.Get(ctx); return err },
		"set":   func(ctx ObjectContext) TerminalError { long.Set(ctx, 1); t.Error("went on"); return nil },
		"clear": func(ctx ObjectContext) TerminalError { long.Clear(ctx); t.Error("went on"); return nil },
	} {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { return Void{}, use(ctx) }))
		if f := e.finish(0).Failure; f == nil || f.Code != 400 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
