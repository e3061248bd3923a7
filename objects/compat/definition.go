package restate

import "github.com/dormouse-run/dormouse/objects"

// Void is the type of an input or output that does not exist.
type Void = objects.Void

// ServiceHandlerFn is a handler of a service.
type ServiceHandlerFn[I any, O any] = objects.ServiceHandlerFn[I, O]

// ObjectHandlerFn is an exclusive handler of an object.
type ObjectHandlerFn[I any, O any] = objects.ObjectHandlerFn[I, O]

// ObjectSharedHandlerFn is a shared handler of an object.
type ObjectSharedHandlerFn[I any, O any] = objects.ObjectSharedHandlerFn[I, O]

// WorkflowHandlerFn is the run handler of a workflow.
type WorkflowHandlerFn[I any, O any] = objects.WorkflowHandlerFn[I, O]

// WorkflowSharedHandlerFn is a shared handler of a workflow.
type WorkflowSharedHandlerFn[I any, O any] = objects.WorkflowSharedHandlerFn[I, O]

// ServiceDefinition is a named set of handlers. See objects.ServiceDefinition.
type ServiceDefinition = objects.ServiceDefinition

// Reflect makes a definition of the methods of rcvr. It panics on one that
// cannot work, with a line that names type, method and fix.
func Reflect(rcvr any, opts ...ServiceDefinitionOption) ServiceDefinition {
	return objects.Reflect(rcvr, opts...)
}

// NewService starts the definition of a service. It panics when an option does
// not fit.
func NewService(name string, opts ...ServiceDefinitionOption) *objects.ServiceBuilder {
	return objects.NewService(name, opts...)
}

// NewObject starts the definition of an object. It panics when an option does
// not fit.
func NewObject(name string, opts ...ServiceDefinitionOption) *objects.ObjectBuilder {
	return objects.NewObject(name, opts...)
}

// NewWorkflow starts the definition of a workflow, which needs exactly one
// handler made by NewWorkflowHandler.
func NewWorkflow(name string, opts ...ServiceDefinitionOption) *objects.WorkflowBuilder {
	return objects.NewWorkflow(name, opts...)
}

// NewServiceHandler makes a handler of a service. Like its siblings it panics on
// a nil function.
func NewServiceHandler[I any, O any](fn ServiceHandlerFn[I, O], opts ...HandlerOption) objects.Handler {
	return objects.NewServiceHandler(fn, opts...)
}

// NewObjectHandler makes an exclusive handler of an object.
func NewObjectHandler[I any, O any](fn ObjectHandlerFn[I, O], opts ...HandlerOption) objects.Handler {
	return objects.NewObjectHandler(fn, opts...)
}

// NewObjectSharedHandler makes a shared handler of an object.
func NewObjectSharedHandler[I any, O any](fn ObjectSharedHandlerFn[I, O], opts ...HandlerOption) objects.Handler {
	return objects.NewObjectSharedHandler(fn, opts...)
}

// NewWorkflowHandler makes the run handler of a workflow.
func NewWorkflowHandler[I any, O any](fn WorkflowHandlerFn[I, O], opts ...HandlerOption) objects.Handler {
	return objects.NewWorkflowHandler(fn, opts...)
}

// NewWorkflowSharedHandler makes a shared handler of a workflow.
func NewWorkflowSharedHandler[I any, O any](fn WorkflowSharedHandlerFn[I, O], opts ...HandlerOption) objects.Handler {
	return objects.NewWorkflowSharedHandler(fn, opts...)
}
