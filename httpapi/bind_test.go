package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

func service(name string, opts ...restate.ServiceDefinitionOption) *restate.ServiceBuilder {
	return restate.NewService(name, opts...).Handler("h", restate.NewServiceHandler(func(restate.Context, restate.Void) (restate.Void, error) { return restate.Void{}, nil }))
}

// panicOf returns what fn panics with, "" when it does not.
func panicOf(fn func()) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	fn()
	return ""
}

// TestDefinitionsThatCannotWorkPanicAtBindAndAreAnErrorOfOpen with the same text,
// which names type, handler and what to do. What Reflect and the builders can see
// panics there.
func TestDefinitionsThatCannotWorkPanicAtBindAndAreAnErrorOfOpen(t *testing.T) {
	t.Parallel()
	shared := restate.NewWorkflowSharedHandler(func(restate.WorkflowSharedContext, restate.Void) (restate.Void, error) { return restate.Void{}, nil })
	for want, d := range map[string][]restate.ServiceDefinition{
		`WORKFLOW "W" has 0 run handlers: a workflow has one, made by NewWorkflowHandler or a method that takes a WorkflowContext`: {restate.NewWorkflow("W").Handler("h", shared)},
		`OBJECT "O" has no handlers: add one`:                           {restate.NewObject("O")},
		`SERVICE "restateful" has a reserved name`:                      {service("restateful")},
		`SERVICE "a b": the name is not of the form`:                    {service("a b")},
		`service "Twice" is bound twice: rename one of the two`:         {service("Twice"), restate.Reflect(&reflected{})},
		`WithAbortTimeout is -1ns: give a duration that is not`:         {service("S", restate.WithAbortTimeout(-1))},
		"the service definition is nil":                                 {nil},
		`handler "h" of SERVICE "C": the output is a chan int, which J`: {restate.NewService("C").Handler("h", restate.NewServiceHandler(func(restate.Context, restate.Void) (chan int, error) { return nil, nil }))},
	} {
		text := panicOf(func() {
			r := httpapi.NewRestate()
			for _, def := range d {
				r.Bind(def)
			}
		})
		if !strings.Contains(text, want) || strings.Contains(text, "\n") {
			t.Errorf("Bind panics with %q, want one line with %q", text, want)
		}
		rt, err := actors.Open(t.Context(), actors.Options{Services: d})
		if err == nil {
			_ = rt.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open gives %v, want %q", err, want)
		}
	}
}

// reflected has the name of another service.
type reflected struct{}

// ServiceName is the name.
func (*reflected) ServiceName() string { return "Twice" }

// H is a handler.
func (*reflected) H(restate.Context) {}
