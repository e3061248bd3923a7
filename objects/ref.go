package objects

import (
	"reflect"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Ref is what a typed call is made to: an object or workflow with its key, or a
// service. S is the receiver of its handlers as they are written, *Counter for
// (*Counter).Add. An interface stands for the service of its own name, so that a
// caller need not import the implementation. On and OnService make one; the zero
// value is that of OnService. A Ref is a value: it may be kept, compared and
// used concurrently, in handlers and outside of them.
type Ref[S any] struct {
	key   string
	keyed bool
}

// On refers to the object, or the workflow, with this key. The empty key is a
// key. The service has the name that Reflect gives to an S. A ServiceName of S is
// asked on a zero value.
func On[S any](key string) Ref[S] { return Ref[S]{key: key, keyed: true} }

// OnService refers to a service, which has no key. Its name is found as On does.
func OnService[S any]() Ref[S] { return Ref[S]{} }

// MethodTarget is the handler that a typed call names. It is exported for package
// ingress.
type MethodTarget struct {
	Service, Key, Handler string
	// Keyed tells the empty key from none, and so does WantsKey, for what the
	// context of the method asks for.
	Keyed, WantsKey bool
	// receiver is the type whose method it is, function its name in full.
	receiver reflect.Type
	function string
}

// TargetOf finds the handler that method, a method expression of S with a
// context of type C, names. The error has code 400 and says what to pass. It is
// exported for package ingress.
func TargetOf[S any, C Context](to Ref[S], method any) (MethodTarget, TerminalError) {
	t := MethodTarget{Key: to.key, Keyed: to.keyed, receiver: reflect.TypeFor[S]()}
	if err := t.nameHandler(method); err != nil {
		return t, err
	}
	context := reflect.TypeFor[C]()
	c, ok := contextKindOf(context)
	if !ok {
		return t, terminalf(codeBadRequest, "%v.%s takes a %v: a handler takes one of the five contexts of package objects", t.receiver, t.Handler, context)
	}
	t.WantsKey = c.service != ServiceTypeService
	var err TerminalError
	t.Service, err = receiverName(t.receiver, any(*new(S)))
	return t, err
}

// CheckKey refuses a Ref that has a key too many or too few. It is exported for
// package ingress.
func (t *MethodTarget) CheckKey() TerminalError {
	switch {
	case t.WantsKey && !t.Keyed:
		return terminalf(codeBadRequest, "service %s has keys: use On[%v](key) in place of OnService", t.Service, t.receiver)
	case t.Keyed && !t.WantsKey:
		return terminalf(codeBadRequest, "service %s has no keys: use OnService[%v]() in place of On", t.Service, t.receiver)
	default:
		return nil
	}
}

// Bind looks the method up in the definition of its service, and returns the
// codecs of the handler, nil when there is none. A handler that was made of the
// very method and added under another name is found as well, unless there are
// two, and its name becomes Handler. It is exported for package ingress.
func (t *MethodTarget) Bind(def ServiceDefinition) (input, output encoding.Codec) {
	h := handlerNamed(def, t.Handler)
	if h == nil {
		h = t.renamed(def)
	}
	if b, ok := h.(*boundHandler); ok {
		return b.in, b.out
	}
	return nil, nil
}

func (t *MethodTarget) renamed(def ServiceDefinition) Handler {
	var found Handler
	var name string
	method := methodPath(t.function)
	for n, h := range def.Handlers() {
		if b, ok := h.(*boundHandler); !ok || method == "" || b.method != method {
			continue
		}
		if found != nil {
			return nil
		}
		found, name = h, n
	}
	if found != nil {
		t.Handler = name
	}
	return found
}

// handlerNamed spares the definitions of this package the copy of Handlers.
func handlerNamed(def ServiceDefinition, name string) Handler {
	if d, ok := def.(interface{ handler(string) Handler }); ok {
		return d.handler(name)
	}
	return def.Handlers()[name]
}

func (d *definition) handler(name string) Handler { return d.handlers[name] }
