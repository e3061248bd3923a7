package restate

import "github.com/dormouse-run/dormouse/objects"

// MockableContext is what a test gives to a handler instead of a runtime.
type MockableContext = objects.MockableContext

// WithMockContext returns a value that is all five contexts and does what ctx
// says.
func WithMockContext(ctx MockableContext) WorkflowContext { return objects.WithMockContext(ctx) }
