package httpapi_test

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// gate holds handlers until the test opens it for their name.
type gate struct {
	mu   sync.Mutex
	wide bool
	open map[string]chan struct{}
}

func newGate() *gate { return &gate{open: map[string]chan struct{}{}} }

// of returns what is closed when the gate is open for name.
func (g *gate) of(name string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[name] == nil {
		g.open[name] = make(chan struct{})
		if g.wide {
			close(g.open[name])
		}
	}
	return g.open[name]
}

func (g *gate) openFor(name string) { close(g.of(name)) }

// openAll lets everything through, at the end of a test.
func (g *gate) openAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wide = true
	for _, c := range g.open {
		select {
		case <-c:
		default:
			close(c)
		}
	}
}

// pass is a Run that waits for the gate.
func (g *gate) pass(ctx restate.Context, name string) error {
	return restate.RunVoid(ctx, func(run restate.RunContext) error {
		select {
		case <-g.of(name):
			return nil
		case <-run.Done():
			return run.Err()
		}
	})
}

// letters is a codec without metadata: text as it is.
type letters struct{}

func (letters) Marshal(v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, errors.New("letters are strings")
	}
	return []byte(s), nil
}

func (letters) Unmarshal(data []byte, v any) error {
	s, ok := v.(*string)
	if !ok {
		return errors.New("letters are strings")
	}
	*s = string(data)
	return nil
}

// fault is the input of a handler that fails with it.
type fault struct {
	Code    int               `json:"code"`
	Message string            `json:"message"`
	Meta    map[string]string `json:"meta"`
}

// surfaceServices are one service of each kind, with a handler for each rule.
func surfaceServices(g *gate) []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		surfaceGreeter(), surfaceObject(g), surfaceWorkflow(g), surfaceWaiter(g), surfaceCaller(), surfaceFailing(),
		restate.NewService("Closed", restate.WithIngressPrivate(true)).Handler("Greet", restate.NewServiceHandler(greet)),
		restate.NewService("Forgetful", restate.WithJournalRetention(0)).Handler("Greet", restate.NewServiceHandler(greet)),
		restate.NewObject("Brief", restate.WithIdempotencyRetention(briefly), restate.WithJournalRetention(briefly)).
			Handler("Add", restate.NewObjectHandler(add)),
		restate.NewWorkflow("BriefWf", restate.WithWorkflowRetention(briefly), restate.WithJournalRetention(briefly)).
			Handler("run", restate.NewWorkflowHandler(func(_ restate.WorkflowContext, s string) (string, error) { return s, nil })),
	}
}

// briefly is a retention that a test can outlive.
const briefly = 300 * time.Millisecond

func greet(_ restate.Context, name string) (string, error) { return "hello " + name, nil }

func add(ctx restate.ObjectContext, n int) (int, error) {
	sum, err := restate.Get[int](ctx, "sum")
	if err != nil {
		return 0, err
	}
	restate.Set(ctx, "sum", sum+n)
	return sum + n, nil
}

func sumOf(ctx restate.ObjectSharedContext, _ restate.Void) (int, error) {
	n, err := restate.Get[int](ctx, "sum")
	return n, err
}

func fail(_ restate.Context, f fault) (restate.Void, error) {
	return restate.Void{}, restate.ToTerminalError(errors.New(f.Message),
		restate.WithErrorCode(restate.Code(f.Code)), restate.WithMetadataMap(f.Meta))
}

func surfaceGreeter() restate.ServiceDefinition {
	type pair struct{ A, B int }
	return restate.NewService("Greeter").
		Handler("Greet", restate.NewServiceHandler(greet)).
		Handler("NoIn", restate.NewServiceHandler(func(restate.Context, restate.Void) (restate.Void, error) { return restate.Void{}, nil })).
		Handler("Raw", restate.NewServiceHandler(func(_ restate.Context, b []byte) ([]byte, error) { return b, nil }, restate.WithBinary)).
		Handler("Proto", restate.NewServiceHandler(func(_ restate.Context, s *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			return s, nil
		}, restate.WithProto)).
		Handler("Letters", restate.NewServiceHandler(func(_ restate.Context, s string) (string, error) { return s, nil }, restate.WithCodec(letters{}))).
		Handler("Pair", restate.NewServiceHandler(func(_ restate.Context, p pair) (int, error) { return p.A + p.B, nil })).
		Handler("Headers", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (map[string]string, error) {
			return ctx.Request().Headers.ToMap(), nil
		})).
		Handler("Fail", restate.NewServiceHandler(fail)).
		Handler("Hidden", restate.NewServiceHandler(greet, restate.WithIngressPrivate(true)))
}

func surfaceObject(g *gate) restate.ServiceDefinition {
	return restate.NewObject("Obj").
		Handler("Add", restate.NewObjectHandler(add)).
		Handler("Get", restate.NewObjectSharedHandler(sumOf)).
		Handler("send", restate.NewObjectHandler(add)).
		Handler("Key", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
			return restate.Key(ctx), nil
		})).
		Handler("Refuse", restate.NewObjectHandler(func(_ restate.ObjectContext, f fault) (restate.Void, error) {
			return restate.Void{}, restate.ToTerminalError(errors.New(f.Message), restate.WithErrorCode(restate.Code(f.Code)))
		})).
		// Hold keeps its key until the gate is open for its input.
		Handler("Hold", restate.NewObjectHandler(func(ctx restate.ObjectContext, name string) (string, error) {
			return name, g.pass(ctx, name)
		}))
}

func surfaceWorkflow(g *gate) restate.ServiceDefinition {
	return restate.NewWorkflow("Wf").
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, s string) (string, error) {
			restate.Set(ctx, "input", s)
			answer, err := restate.Promise[string](ctx, "p").Result()
			return s + " " + answer, err
		})).
		Handler("resolve", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, s string) (restate.Void, error) {
			return restate.Void{}, restate.Promise[string](ctx, "p").Resolve(s)
		})).
		Handler("await", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, name string) (string, error) {
			s, err := restate.Promise[string](ctx, name).Result()
			return s, err
		})).
		Handler("input", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
			s, err := restate.Get[string](ctx, "input")
			return s, err
		})).
		Handler("fail", restate.NewWorkflowSharedHandler(func(_ restate.WorkflowSharedContext, _ restate.Void) (string, error) {
			return "", restate.TerminalErrorf("no")
		}))
}

// surfaceWaiter has a handler for each type of an awakeable.
func surfaceWaiter(g *gate) restate.ServiceDefinition {
	slow := restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(time.Hour), restate.WithMaxRetryInterval(time.Hour))
	return restate.NewObject("Waiter").
		Handler("Text", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			return restate.Awakeable[string](ctx).Result()
		})).
		Handler("Number", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (int, error) {
			return restate.Awakeable[int](ctx).Result()
		})).
		Handler("Bytes", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) ([]byte, error) {
			return restate.Awakeable[[]byte](ctx, restate.WithBinary).Result()
		}, restate.WithBinary, restate.WithInputCodec(encoding.JSONCodec))).
		Handler("Void", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			_, err := restate.Awakeable[restate.Void](ctx).Result()
			return "void", err
		})).
		Handler("Signals", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) ([]string, error) {
			all := []string{}
			for range n {
				s, err := restate.Signal[string](ctx, "go/on").Result()
				if err != nil {
					return nil, err
				}
				all = append(all, s)
			}
			return all, nil
		})).
		// Late creates its awakeable behind the gate.
		Handler("Late", restate.NewObjectHandler(func(ctx restate.ObjectContext, name string) (string, error) {
			if err := g.pass(ctx, name); err != nil {
				return "", err
			}
			return restate.Awakeable[string](ctx).Result()
		})).
		// Flaky fails until the gate is open, and backs off for an hour.
		Handler("Flaky", restate.NewObjectHandler(func(ctx restate.ObjectContext, name string) (string, error) {
			a := restate.Awakeable[string](ctx)
			select {
			case <-g.of(name):
				return a.Result()
			default:
				return "", errors.New("broken")
			}
		}, slow))
}

// surfaceCaller names targets inside of a handler that do not work.
func surfaceCaller() restate.ServiceDefinition {
	return restate.NewService("Caller").
		Handler("Service", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.Service[string](ctx, "Nope", "Greet").Request("x")
		})).
		Handler("Handler", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.Service[string](ctx, "Greeter", "Nope").Request("x")
		})).
		// Tree sends to one waiter and calls another one.
		Handler("Tree", restate.NewServiceHandler(func(ctx restate.Context, key string) (string, error) {
			restate.ObjectSend(ctx, "Waiter", key+"-sent", "Text").Send(restate.Void{})
			return restate.Object[string](ctx, "Waiter", key+"-called", "Text").Request(restate.Void{})
		})).
		Handler("Attach", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.AttachInvocation[string](ctx, "inv_nonsense").Response()
		})).
		Handler("Resolve", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
			restate.ResolveAwakeable(ctx, "sign_nonsense", "x")
			return restate.Void{}, nil
		}))
}

// surfaceFailing fails in ways that are retried.
func surfaceFailing() restate.ServiceDefinition {
	broken := func(_ restate.Context, code int) (restate.Void, error) {
		if code == 0 {
			return restate.Void{}, errors.New("broken")
		}
		return restate.Void{}, restate.ToRetryableError(errors.New("broken"), restate.WithErrorCode(restate.Code(code)))
	}
	once := restate.WithMaxRetryAttempts(1)
	return restate.NewService("Failing").
		Handler("Kill", restate.NewServiceHandler(broken, restate.WithInvocationRetryPolicy(once, restate.KillOnMaxAttempts()))).
		Handler("Pause", restate.NewServiceHandler(broken, restate.WithInvocationRetryPolicy(once, restate.PauseOnMaxAttempts()))).
		Handler("BackOff", restate.NewServiceHandler(broken, restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(time.Hour), restate.WithMaxRetryInterval(time.Hour))))
}
