package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/objects"
)

// fakeRuntime answers what its functions say and remembers what it was asked.
type fakeRuntime struct {
	call    func(context.Context, actors.Request) (actors.Response, error)
	accept  func(actors.Request) (actors.Accepted, error)
	result  func(context.Context, ident.InvocationID) (actors.Response, error)
	signal  func(ident.InvocationID, journal.NotificationID, journal.Result) (actors.SignalOutcome, error)
	operate func(machine.Operation, ident.InvocationID) (bool, error)
	list    func(query.InvocationFilter) (query.Page[query.Invocation], error)
	look    func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error)
	drain   func(context.Context) error
	keyed   fakeKeys
	fakeOperator
	// services are bound; those of testServices when nil.
	services []objects.ServiceDefinition
	stats    actors.Stats
	metrics  actors.Metrics
	done     chan struct{}
	err      error
	stream   func(actors.EventOptions, func(actors.EventBatch) error) error
	backup   func(context.Context, io.Writer) error
	// forgetful keeps requests from piling up in a benchmark.
	forgetful bool

	mu       sync.Mutex
	requests []actors.Request
	asked    []ident.InvocationID
}

func (f *fakeRuntime) Call(ctx context.Context, r actors.Request) (actors.Response, error) {
	f.remember(r)
	if f.call == nil {
		return actors.Response{ID: testID, Result: journal.ValueOf([]byte("1"))}, nil
	}
	return f.call(ctx, r)
}

func (f *fakeRuntime) Send(_ context.Context, r actors.Request) (actors.Accepted, error) {
	f.remember(r)
	if f.accept == nil {
		return actors.Accepted{ID: testID}, nil
	}
	return f.accept(r)
}

func (f *fakeRuntime) remember(r actors.Request) {
	if f.forgetful {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
}

func (f *fakeRuntime) Attach(ctx context.Context, id ident.InvocationID) (actors.Response, error) {
	f.mu.Lock()
	f.asked = append(f.asked, id)
	f.mu.Unlock()
	if f.result == nil {
		return actors.Response{}, actors.ErrUnknownInvocation
	}
	return f.result(ctx, id)
}

func (f *fakeRuntime) Output(ctx context.Context, id ident.InvocationID) (actors.Response, error) {
	return f.Attach(ctx, id)
}

func (f *fakeRuntime) Signal(_ context.Context, id ident.InvocationID, n journal.NotificationID, r journal.Result) (actors.SignalOutcome, error) {
	if f.signal == nil {
		return actors.SignalApplied, nil
	}
	return f.signal(id, n, r)
}

func (f *fakeRuntime) Operate(_ context.Context, op machine.Operation, id ident.InvocationID) (bool, error) {
	return f.operate(op, id)
}

func (f *fakeRuntime) Inspect(_ context.Context, id ident.InvocationID, o actors.InspectOptions) (*actors.Inspection, error) {
	if f.look == nil {
		return nil, actors.ErrUnknownInvocation
	}
	return f.look(id, o)
}

func (f *fakeRuntime) Services() []objects.ServiceDefinition {
	if f.services != nil {
		return f.services
	}
	return testServices()
}

func (f *fakeRuntime) Drain(ctx context.Context) error {
	if f.drain == nil {
		return nil
	}
	return f.drain(ctx)
}

func (f *fakeRuntime) Done() <-chan struct{} { return f.done }

func (f *fakeRuntime) Err() error { return f.err }

// testID is the id of most invocations of the tests.
var testID = ident.NewInvocationID(1, [16]byte{15: 1})

// testServices covers every kind of service and every input rule.
func testServices() []objects.ServiceDefinition {
	add := func(_ objects.ObjectContext, n int) (int, error) { return n, nil }
	get := func(_ objects.ObjectSharedContext, _ objects.Void) (int, error) { return 0, nil }
	greet := func(_ objects.Context, s string) (string, error) { return s, nil }
	nothing := func(_ objects.Context, _ objects.Void) (objects.Void, error) { return objects.Void{}, nil }
	raw := func(_ objects.Context, b []byte) ([]byte, error) { return b, nil }
	run := func(_ objects.WorkflowContext, s string) (string, error) { return s, nil }
	return []objects.ServiceDefinition{
		objects.NewObject("Obj").
			Handler("Add", objects.NewObjectHandler(add)).
			Handler("Get", objects.NewObjectSharedHandler(get)).
			Handler("send", objects.NewObjectHandler(add)).
			Handler("Hidden", objects.NewObjectHandler(add, objects.WithIngressPrivate(true))),
		objects.NewService("Greeter").
			Handler("Greet", objects.NewServiceHandler(greet)).
			Handler("NoIn", objects.NewServiceHandler(nothing)).
			Handler("Raw", objects.NewServiceHandler(raw, objects.WithBinary)),
		objects.NewWorkflow("Wf").Handler("run", objects.NewWorkflowHandler(run)),
	}
}

func testServer(t *testing.T, f *fakeRuntime, o Options) *Server {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := newServer(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request. headers are pairs of name and value.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const asJSON = "application/json"
