package objects

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// TestHandlerOfANilFunctionPanicsWhereItIsDefined and says what to pass.
func TestHandlerOfANilFunctionPanicsWhereItIsDefined(t *testing.T) {
	t.Parallel()
	for want, define := range map[string]func(){
		"NewServiceHandler was given a nil function: pass a func(ctx Context,":                     func() { NewServiceHandler[int, int](nil) },
		"NewObjectHandler was given a nil function: pass a func(ctx ObjectContext,":                func() { NewObjectHandler[int, int](nil) },
		"NewObjectSharedHandler was given a nil function: pass a func(ctx ObjectSharedContext,":    func() { NewObjectSharedHandler[int, int](nil) },
		"NewWorkflowHandler was given a nil function: pass a func(ctx WorkflowContext,":            func() { NewWorkflowHandler[int, int](nil) },
		"NewWorkflowSharedHandler was given a nil function: pass a func(ctx WorkflowSharedContext": func() { NewWorkflowSharedHandler[int, int](nil) },
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("panic %q, want %q", p, want)
				}
			}()
			define()
		}()
	}
}

type (
	withChannel struct {
		Name   string
		Events chan int
	}
	nested      struct{ Inner withChannel }
	encodesFunc func()
	harmless    struct {
		Events  chan int            `json:"-"`
		Maybe   chan int            `json:",omitzero"`
		Pointer *withChannel        // nil is null
		Hook    encodesFunc         // encodes itself
		Map     map[string]chan int // empty is {}
		private chan int
	}
)

func (encodesFunc) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// TestOutputThatJSONCannotEncodeIsADefinitionError, named with its field; one of
// which some values encode is none, and other codecs are not judged.
func TestOutputThatJSONCannotEncodeIsADefinitionError(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]Handler{
		`handler "h" of SERVICE "S": the output is a chan int, which JSON cannot encode`: producing[chan int](),
		"the output is a func()":     producing[func()](),
		"the output is a complex128": producing[complex128](),
		"the output has the field objects.withChannel.Events, which is a chan int":              producing[withChannel](),
		"the field objects.nested.Inner, which has the field objects.withChannel.Events, which": producing[nested](),
	} {
		if err := Validate(NewService("S").Handler("h", h)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := Validate(Reflect(shapes{})); err == nil || !strings.Contains(err.Error(), `handler "Bad"`) {
		t.Errorf("of a method: %v", err)
	}
	for name, h := range map[string]Handler{
		"harmless": producing[harmless](), "any": producing[any](), "void": producing[Void](), "error": producing[error](),
		"other codec": producing[chan int](WithBinary),
	} {
		if err := Validate(NewService("S").Handler("h", h)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := encoding.JSONCodec.Marshal(harmless{private: nil}); err != nil {
		t.Errorf("harmless is not: %v", err)
	}
}

// producing is a handler with this output.
func producing[O any](opts ...HandlerOption) Handler {
	return NewServiceHandler(func(Context, Void) (O, error) { return *new(O), nil }, opts...)
}
