package objects

import (
	"fmt"
	"reflect"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Reflect makes a definition of the methods of rcvr, which is usually a struct
// or a pointer to one. Methods of *T are seen only when a *T is passed.
//
// The service is named after the type of rcvr, or as its method ServiceName()
// string says; a handler after its method. A handler takes a context and at
// most one input, and returns nothing, an output, an error, or both in this
// order. The context decides the type of the service: Context makes a service,
// ObjectContext and ObjectSharedContext an object, WorkflowContext and
// WorkflowSharedContext a workflow. Methods whose first parameter is no context
// are skipped.
//
// Reflect panics when the methods make no definition: contexts of different
// service types, a workflow without or with two methods that take a
// WorkflowContext, a handler of another shape, no handler at all, or an option
// that does not fit.
func Reflect(rcvr any, opts ...ServiceDefinitionOption) ServiceDefinition {
	v := reflect.ValueOf(rcvr)
	if !v.IsValid() {
		panic("objects: Reflect was given nil: pass a struct or a pointer to one")
	}
	name, methods := serviceName(v), contextMethods(v)
	if len(methods) == 0 {
		panic(noHandlers(name, v))
	}
	first := methods[0]
	run := ""
	for _, m := range methods {
		if m.context.service != first.context.service {
			panic(fmt.Sprintf("objects: %s mixes contexts: %s takes a %s and %s a %s: a type is a service, an object or a workflow",
				name, first.name, first.context.name, m.name, m.context.name))
		}
		if m.context.kind != ident.KindWorkflow {
			continue
		}
		if run != "" {
			panic(fmt.Sprintf("objects: workflow %s has two run handlers, %s and %s: let one of them take a WorkflowSharedContext", name, run, m.name))
		}
		run = m.name
	}
	if first.context.service == ServiceTypeWorkflow && run == "" {
		panic(fmt.Sprintf("objects: workflow %s has no run handler: let one method take a WorkflowContext", name))
	}
	return reflected(name, first.context.service, methods, opts)
}

func reflected(name string, service ServiceType, methods []method, opts []ServiceDefinitionOption) ServiceDefinition {
	d := newDefinition(name, service, opts)
	for _, m := range methods {
		d.add(m.name, m.handler(name))
	}
	switch service {
	case ServiceTypeVirtualObject:
		return &ObjectBuilder{d}
	case ServiceTypeWorkflow:
		return &WorkflowBuilder{d}
	default:
		return &ServiceBuilder{d}
	}
}

func serviceName(v reflect.Value) string {
	if s, ok := v.Interface().(interface{ ServiceName() string }); ok {
		return s.ServiceName()
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		panic(fmt.Sprintf("objects: Reflect was given a %s, which has no name: declare a type or add the method ServiceName() string", v.Type()))
	}
	return t.Name()
}

func noHandlers(name string, v reflect.Value) string {
	hint := "let exported methods take a context of package objects first"
	if v.Kind() != reflect.Pointer && len(contextMethods(reflect.New(v.Type()))) > 0 {
		hint = fmt.Sprintf("its handlers are methods of *%s: pass a pointer", v.Type())
	}
	return fmt.Sprintf("objects: %s has no handlers: %s", name, hint)
}

// contextKind is what one of the five contexts says about a handler.
type contextKind struct {
	name    string
	service ServiceType
	kind    ident.Kind
}

// contextKindOf compares identities: every context also has the methods of
// Context.
func contextKindOf(t reflect.Type) (contextKind, bool) {
	switch t {
	case reflect.TypeFor[Context]():
		return contextKind{"Context", ServiceTypeService, ident.KindService}, true
	case reflect.TypeFor[ObjectContext]():
		return contextKind{"ObjectContext", ServiceTypeVirtualObject, ident.KindExclusive}, true
	case reflect.TypeFor[ObjectSharedContext]():
		return contextKind{"ObjectSharedContext", ServiceTypeVirtualObject, ident.KindShared}, true
	case reflect.TypeFor[WorkflowContext]():
		return contextKind{"WorkflowContext", ServiceTypeWorkflow, ident.KindWorkflow}, true
	case reflect.TypeFor[WorkflowSharedContext]():
		return contextKind{"WorkflowSharedContext", ServiceTypeWorkflow, ident.KindShared}, true
	default:
		return contextKind{}, false
	}
}

// method is an exported method whose first parameter is a context.
type method struct {
	name    string
	fn      reflect.Value // bound to the receiver
	context contextKind
}

// contextMethods returns the handlers of v in the order of their names.
func contextMethods(v reflect.Value) []method {
	var methods []method
	for i := range v.NumMethod() {
		fn := v.Method(i)
		if fn.Type().NumIn() == 0 {
			continue
		}
		if c, ok := contextKindOf(fn.Type().In(0)); ok {
			methods = append(methods, method{name: v.Type().Method(i).Name, fn: fn, context: c})
		}
	}
	return methods
}

func (m method) handler(service string) Handler {
	s := m.shape(service)
	payload := payloads{in: encoding.Void{}, out: encoding.Void{}}
	if s.in != nil {
		payload.in = reflect.Zero(s.in).Interface()
	}
	if s.out != nil {
		payload.out = reflect.Zero(s.out).Interface()
	}
	return newHandler(m.context.service, m.context.kind, m.fn.Interface(), m.caller(s), payload, nil)
}

// shape is the signature of a handler behind its context. A nil type is a
// missing input or output.
type shape struct {
	in, out reflect.Type
	err     bool
}

// shape panics when the method cannot be a handler.
func (m method) shape(service string) shape {
	t, subject := m.fn.Type(), service+"."+m.name
	refuse := func(what, fix string) {
		panic(fmt.Sprintf("objects: handler %s %s: %s", subject, what, fix))
	}
	var s shape
	switch {
	case t.IsVariadic():
		refuse("is variadic", "take one input, for example a slice")
	case t.NumIn() > 2:
		refuse("takes more than one input", "put them into one struct")
	case t.NumIn() == 2:
		s.in = t.In(1)
	}
	errorType := reflect.TypeFor[error]()
	switch n := t.NumOut(); {
	case n > 2:
		refuse("returns more than two results", "return an output and an error")
	case n == 2 && t.Out(1) != errorType:
		refuse(fmt.Sprintf("returns %s as its second result", t.Out(1)), "the second result is an error")
	case n == 2:
		s.out, s.err = t.Out(0), true
	case n == 1 && t.Out(0) == errorType:
		s.err = true
	case n == 1:
		s.out = t.Out(0)
	}
	if s.out != nil && s.out.Kind() == reflect.Interface && s.out.Implements(errorType) {
		refuse(fmt.Sprintf("returns %s as its output", s.out), "return error, which may hold it")
	}
	return s
}

func (m method) caller(s shape) callFn {
	fn := m.fn
	return func(ex *execution, in, out encoding.Codec, input []byte) ([]byte, error) {
		var storage [2]reflect.Value
		args := append(storage[:0], reflect.ValueOf(ex))
		if s.in != nil {
			i := reflect.New(s.in)
			if err := encoding.Unmarshal(in, input, i.Interface()); err != nil {
				return nil, undecodable(s.in, err)
			}
			args = append(args, i.Elem())
		}
		results := fn.Call(args)
		if s.err {
			if err, _ := results[len(results)-1].Interface().(error); err != nil {
				return nil, err
			}
		}
		if s.out == nil {
			return nil, nil
		}
		return encodeOutput(out, results[0].Interface())
	}
}
