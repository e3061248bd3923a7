package objects

import (
	"fmt"
	"maps"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// ServiceType says what a definition defines.
type ServiceType string

// Service types.
const (
	// ServiceTypeService has no key and no state.
	ServiceTypeService ServiceType = "SERVICE"
	// ServiceTypeVirtualObject has a key, state, and one exclusive handler at a
	// time.
	ServiceTypeVirtualObject ServiceType = "VIRTUAL_OBJECT"
	// ServiceTypeWorkflow has a run handler that runs once per workflow id.
	ServiceTypeWorkflow ServiceType = "WORKFLOW"
)

// String returns the word.
func (t ServiceType) String() string { return string(t) }

// ServiceDefinition is a named set of handlers. It must not be changed once it
// was given to a runtime; until then it is not for concurrent use.
type ServiceDefinition interface {
	// Name is the name under which handlers are called.
	Name() string
	// Type says what is defined.
	Type() ServiceType
	// Handlers returns the handlers by name. The map is the caller's.
	Handlers() map[string]Handler
	// GetOptions returns the options, which must not be changed.
	GetOptions() *ServiceDefinitionOptions
	// ConfigureHandler adds options to a handler and returns the definition. It
	// panics on an unknown name.
	ConfigureHandler(name string, opts ...HandlerOption) ServiceDefinition
}

// definition is what the three builders share.
type definition struct {
	name     string
	kind     ServiceType
	options  ServiceDefinitionOptions
	handlers map[string]Handler
}

func newDefinition(name string, kind ServiceType, opts []ServiceDefinitionOption) definition {
	d := definition{name: name, kind: kind, handlers: map[string]Handler{}}
	for _, opt := range opts {
		opt.applyServiceDefinition(&d.options)
	}
	if kind != ServiceTypeWorkflow && d.options.WorkflowRetention != nil {
		panic(fmt.Sprintf("objects: %s %q has a workflow retention; only workflows have one: remove WithWorkflowRetention", kind, name))
	}
	return d
}

// Name returns the name of the service.
func (d *definition) Name() string { return d.name }

// Type returns the type of the service.
func (d *definition) Type() ServiceType { return d.kind }

// Handlers returns the handlers by name. The map is the caller's.
func (d *definition) Handlers() map[string]Handler { return maps.Clone(d.handlers) }

// GetOptions returns the options, which must not be changed.
func (d *definition) GetOptions() *ServiceDefinitionOptions { return &d.options }

func (d *definition) add(name string, h Handler) {
	if h == nil {
		panic(fmt.Sprintf("objects: handler %s/%s is nil", d.name, name))
	}
	if h.serviceType() != d.kind {
		panic(fmt.Sprintf("objects: handler %s/%s is made for a %s and was added to a %s: use the New…Handler function of that type", d.name, name, h.serviceType(), d.kind))
	}
	if _, twice := d.handlers[name]; twice {
		panic(fmt.Sprintf("objects: handler %s/%s is defined twice: rename one", d.name, name))
	}
	if run, exists := d.run(); exists && h.Kind() == ident.KindWorkflow {
		panic(fmt.Sprintf("objects: workflow %s has two run handlers, %s and %s: make one of them a shared handler", d.name, run, name))
	}
	d.put(name, h, nil)
}

func (d *definition) configure(name string, opts []HandlerOption) {
	h, known := d.handlers[name]
	if !known {
		panic(fmt.Sprintf("objects: %s %q has no handler %q to configure", d.kind, d.name, name))
	}
	d.put(name, h, opts)
}

func (d *definition) put(name string, h Handler, opts []HandlerOption) {
	h = h.configured(&d.options, opts)
	if h.Kind() != ident.KindWorkflow && h.GetOptions().WorkflowRetention != nil {
		panic(fmt.Sprintf("objects: handler %s/%s has a workflow retention; only the run handler of a workflow has one: remove WithWorkflowRetention", d.name, name))
	}
	d.handlers[name] = h
}

// run returns the name of the run handler of a workflow.
func (d *definition) run() (name string, exists bool) {
	for name, h := range d.handlers {
		if h.Kind() == ident.KindWorkflow {
			return name, true
		}
	}
	return "", false
}

// ServiceBuilder is the definition of a service, made by NewService.
type ServiceBuilder struct{ definition }

// NewService starts the definition of a service. It panics when an option does
// not fit.
func NewService(name string, opts ...ServiceDefinitionOption) *ServiceBuilder {
	return &ServiceBuilder{newDefinition(name, ServiceTypeService, opts)}
}

// Handler adds a handler made by NewServiceHandler. It panics on another one,
// and when the name is taken.
func (b *ServiceBuilder) Handler(name string, handler Handler) *ServiceBuilder {
	b.add(name, handler)
	return b
}

// ConfigureHandler adds options to a handler. It panics on an unknown name.
func (b *ServiceBuilder) ConfigureHandler(name string, opts ...HandlerOption) ServiceDefinition {
	b.configure(name, opts)
	return b
}

// ObjectBuilder is the definition of an object, made by NewObject.
type ObjectBuilder struct{ definition }

// NewObject starts the definition of an object. It panics when an option does
// not fit.
func NewObject(name string, opts ...ServiceDefinitionOption) *ObjectBuilder {
	return &ObjectBuilder{newDefinition(name, ServiceTypeVirtualObject, opts)}
}

// Handler adds a handler made by NewObjectHandler or NewObjectSharedHandler. It
// panics on another one, and when the name is taken.
func (b *ObjectBuilder) Handler(name string, handler Handler) *ObjectBuilder {
	b.add(name, handler)
	return b
}

// ConfigureHandler adds options to a handler. It panics on an unknown name.
func (b *ObjectBuilder) ConfigureHandler(name string, opts ...HandlerOption) ServiceDefinition {
	b.configure(name, opts)
	return b
}

// WorkflowBuilder is the definition of a workflow, made by NewWorkflow.
type WorkflowBuilder struct{ definition }

// NewWorkflow starts the definition of a workflow, which needs exactly one
// handler made by NewWorkflowHandler.
func NewWorkflow(name string, opts ...ServiceDefinitionOption) *WorkflowBuilder {
	return &WorkflowBuilder{newDefinition(name, ServiceTypeWorkflow, opts)}
}

// Handler adds a handler made by NewWorkflowHandler or NewWorkflowSharedHandler.
// It panics on another one, when the name is taken, and on a second run handler.
func (b *WorkflowBuilder) Handler(name string, handler Handler) *WorkflowBuilder {
	b.add(name, handler)
	return b
}

// ConfigureHandler adds options to a handler. It panics on an unknown name.
func (b *WorkflowBuilder) ConfigureHandler(name string, opts ...HandlerOption) ServiceDefinition {
	b.configure(name, opts)
	return b
}
