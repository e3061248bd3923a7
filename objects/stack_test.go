package objects

import (
	"strings"
	"testing"
)

type panics struct{}

func (panics) Nil(ObjectContext, string) (Void, error) {
	var p *struct{ n int }
	p.n = 1
	return Void{}, nil
}

// TestStackOfAPanicHoldsTheFramesOfTheUserAlone: of handlers of both kinds, and
// of closures.
func TestStackOfAPanicHoldsTheFramesOfTheUserAlone(t *testing.T) {
	t.Parallel()
	closure := func(ctx ObjectContext) error { return RunVoid(ctx, func(RunContext) error { return blow() }) }
	value := func(ctx ObjectContext) error {
		_, err := Run(ctx, func(RunContext) (int, error) { return 0, blow() })
		return err
	}
	for name, tc := range map[string]struct {
		h      Handler
		frames int
	}{
		"handler":     {NewObjectHandler(func(ObjectContext, string) (Void, error) { return Void{}, blow() }), 2},
		"method":      {Reflect(panics{}).Handlers()["Nil"], 3}, // reflect calls it
		"closure":     {NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { return Void{}, closure(ctx) }), 2},
		"with result": {NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { return Void{}, value(ctx) }), 2},
	} {
		stack := newEngine(t, tc.h).attempt(0).Failure.Stack
		lines := strings.Split(strings.TrimSuffix(stack, "\n"), "\n")
		if !strings.HasPrefix(lines[0], "goroutine ") || len(lines) != 1+2*tc.frames || !strings.Contains(lines[2], "stack_test.go") {
			t.Errorf("%s:\n%s", name, stack)
		}
	}
	if whole := "goroutine 1 [running]:\nmain.main()\n\tmain.go:1\n"; userFrames(whole) != whole {
		t.Errorf("a stack of another shape became %q", userFrames(whole))
	}
}

//go:noinline
func blow() error { panic("boom") }
