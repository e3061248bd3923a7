package objects

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// MockContext is a MockableContext with defaults. The zero value works: state is
// in memory, closures are executed, timers end in order as soon as the handler
// waits for nothing else, promises may be completed and read, and everything
// else that is waited for stays open until a function answers it. It is not for
// concurrent use.
type MockContext struct {
	// Parent is where values and the cancellation of closures come from;
	// context.Background() when nil.
	Parent context.Context
	// ObjectKey is the object key or workflow id.
	ObjectKey string
	// Asked is what the handler was asked for. Its ID is made up when empty.
	Asked Request
	// Logger gets the log lines of the handler; they are dropped when nil.
	Logger *slog.Logger

	// OnRun replaces a closure; nil executes it.
	OnRun func(name string, fn func() MockAnswer) MockAnswer
	// OnSleep answers for a timer; nil lets it end.
	OnSleep func(name string, d time.Duration) MockAnswer
	// OnCall answers a call; nil leaves it open.
	OnCall func(c MockCall) MockAnswer
	// OnAwait answers for awakeables, signals, attached invocations and promises
	// that the handler has not completed; nil leaves them open.
	OnAwait func(s MockSource) MockAnswer

	// Calls, Sends, Completions, Cancelled and Slept are what the handler has
	// done, each in its order.
	Calls, Sends []MockCall
	Completions  []MockCompletion
	Cancelled    []string
	Slept        []time.Duration

	state    map[string][]byte
	promises map[string]MockAnswer
}

var _ MockableContext = (*MockContext)(nil)

func (m *MockContext) parent() context.Context {
	if m.Parent == nil {
		return context.Background()
	}
	return m.Parent
}

// Deadline returns that of Parent.
func (m *MockContext) Deadline() (deadline time.Time, ok bool) { return m.parent().Deadline() }

// Done returns that of Parent.
func (m *MockContext) Done() <-chan struct{} { return m.parent().Done() }

// Err returns that of Parent.
func (m *MockContext) Err() error { return m.parent().Err() }

// Value returns that of Parent.
func (m *MockContext) Value(key any) any { return m.parent().Value(key) }

// Log returns Logger.
func (m *MockContext) Log() *slog.Logger {
	if m.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return m.Logger
}

// Request returns Asked.
func (m *MockContext) Request() *Request { return &m.Asked }

// Key returns ObjectKey.
func (m *MockContext) Key() string { return m.ObjectKey }

// GetState returns a state value.
func (m *MockContext) GetState(name string) (value []byte, found bool) {
	value, found = m.state[name]
	return value, found
}

// SetState writes a state value.
func (m *MockContext) SetState(name string, value []byte) {
	if m.state == nil {
		m.state = map[string][]byte{}
	}
	m.state[name] = value
}

// ClearState removes a state value.
func (m *MockContext) ClearState(name string) { delete(m.state, name) }

// StateKeys returns the names of all state values, sorted.
func (m *MockContext) StateKeys() []string { return slices.Sorted(maps.Keys(m.state)) }

// Run calls OnRun, or executes fn.
func (m *MockContext) Run(name string, fn func() MockAnswer) MockAnswer {
	if m.OnRun != nil {
		return m.OnRun(name, fn)
	}
	return fn()
}

// Sleep adds to Slept and calls OnSleep.
func (m *MockContext) Sleep(name string, d time.Duration) MockAnswer {
	m.Slept = append(m.Slept, d)
	if m.OnSleep != nil {
		return m.OnSleep(name, d)
	}
	return MockDone()
}

// Call adds to Calls and calls OnCall.
func (m *MockContext) Call(c MockCall) MockAnswer {
	m.Calls = append(m.Calls, c)
	if m.OnCall != nil {
		return m.OnCall(c)
	}
	return MockAnswer{}
}

// Send adds to Sends.
func (m *MockContext) Send(c MockCall) { m.Sends = append(m.Sends, c) }

// Cancel adds to Cancelled.
func (m *MockContext) Cancel(invocationID string) { m.Cancelled = append(m.Cancelled, invocationID) }

// Await returns what the handler has completed a promise with, else what OnAwait
// answers.
func (m *MockContext) Await(s MockSource) MockAnswer {
	if a, ok := m.promises[s.Promise]; ok && s.Promise != "" {
		return a
	}
	if m.OnAwait != nil {
		return m.OnAwait(s)
	}
	return MockAnswer{}
}

// Complete adds to Completions. A promise that is completed already gives a
// terminal error, code 409.
func (m *MockContext) Complete(c MockCompletion) MockAnswer {
	m.Completions = append(m.Completions, c)
	if c.Promise == "" {
		return MockDone()
	}
	if !m.Await(c.MockSource).open() {
		return MockError(terminalf(codeConflict, "promise %q has been completed before", c.Promise))
	}
	if m.promises == nil {
		m.promises = map[string]MockAnswer{}
	}
	m.promises[c.Promise] = c.answer()
	return MockDone()
}
