package generate

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The options by which a service says what it is.
const (
	serviceOption protoreflect.FullName = "dev.restate.sdk.go.service_type"
	handlerOption protoreflect.FullName = "dev.restate.sdk.go.handler_type"
)

// service is a service with what it is.
type service struct {
	*protogen.Service
	// kind is the word that names of the SDK are made of: Service, Object or
	// Workflow.
	kind    string
	methods []method
}

// keyed reports whether a client needs a key.
func (s *service) keyed() bool { return s.kind != "Service" }

// key is the name of the parameter for the key.
func (s *service) key() string {
	if s.kind == "Workflow" {
		return "workflowID"
	}
	return "key"
}

// method is a method with what its handler is.
type method struct {
	*protogen.Method
	// shared says that the handler runs beside others and only reads.
	shared bool
}

// options knows the two options as the request defines them.
type options struct {
	service, handler protoreflect.ExtensionDescriptor
}

// optionsOf finds the options in the files of a request. One that is nil is
// used by nobody.
func optionsOf(files []*protogen.File) options {
	var o options
	for _, f := range files {
		extensions := f.Desc.Extensions()
		for i := range extensions.Len() {
			switch x := extensions.Get(i); x.FullName() {
			case serviceOption:
				o.service = x
			case handlerOption:
				o.handler = x
			}
		}
	}
	return o
}

// value returns the name of the value that an option has, "" when it is not set.
// The plugin does not know the option as a type, and its bytes stay where they
// are; so they are looked for there.
func value(set proto.Message, option protoreflect.ExtensionDescriptor) (string, error) {
	if option == nil || option.Enum() == nil {
		return "", nil
	}
	b, err := proto.MarshalOptions{AllowPartial: true}.Marshal(set)
	if err != nil {
		return "", err
	}
	found := ""
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return "", fmt.Errorf("the options are damaged: %w", protowire.ParseError(min(n, size)))
		}
		if number == option.Number() && kind == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(b[n:])
			found = valueName(option.Enum(), protoreflect.EnumNumber(v))
		}
		b = b[n+size:]
	}
	return found, nil
}

func valueName(enum protoreflect.EnumDescriptor, number protoreflect.EnumNumber) string {
	if v := enum.Values().ByNumber(number); v != nil {
		return string(v.Name())
	}
	return fmt.Sprint(number)
}

// read decides what a service is, and refuses one that cannot work.
func (o options) read(s *protogen.Service) (*service, error) {
	typ, err := value(s.Desc.Options(), o.service)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Desc.FullName(), err)
	}
	kinds := map[string]string{"": "Service", "SERVICE": "Service", "VIRTUAL_OBJECT": "Object", "WORKFLOW": "Workflow"}
	read := &service{Service: s, kind: kinds[typ]}
	if read.kind == "" {
		return nil, fmt.Errorf("%s: service_type %s is not known: use SERVICE, VIRTUAL_OBJECT or WORKFLOW", s.Desc.FullName(), typ)
	}
	types := make([]string, len(s.Methods))
	for i, m := range s.Methods {
		if m.Desc.IsStreamingClient() || m.Desc.IsStreamingServer() {
			return nil, fmt.Errorf("%s: handlers have one input and one output: remove the word stream", m.Desc.FullName())
		}
		if types[i], err = value(m.Desc.Options(), o.handler); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Desc.FullName(), err)
		}
	}
	return read, read.schedule(types)
}

// schedule decides what each handler is.
func (s *service) schedule(types []string) error {
	run := -1
	if s.kind == "Workflow" {
		var err error
		if run, err = s.run(types); err != nil {
			return err
		}
	}
	for i, m := range s.Methods {
		shared := s.kind == "Workflow" && i != run
		switch t := types[i]; {
		case t == "" || t == "UNSET" || i == run:
		case s.kind == "Object" && t == "EXCLUSIVE":
		case s.kind == "Object" && t == "SHARED", s.kind == "Workflow" && t == "SHARED":
			shared = true
		default:
			return fmt.Errorf("%s: handler_type %s does not fit: %s", m.Desc.FullName(), t, s.fitting())
		}
		s.methods = append(s.methods, method{m, shared})
	}
	return nil
}

// run finds the run handler of a workflow: the one that says so, else the one
// with that name.
func (s *service) run(types []string) (int, error) {
	marked, named := -1, -1
	for i, m := range s.Methods {
		switch t := types[i]; {
		case runType(t) && marked >= 0:
			return 0, fmt.Errorf("%s: %s and %s are both run handlers: make one of them SHARED", s.Desc.FullName(), s.Methods[marked].Desc.Name(), m.Desc.Name())
		case runType(t):
			marked = i
		case m.GoName == "Run" && (t == "" || t == "UNSET"):
			named = i
		}
	}
	if marked < 0 {
		marked = named
	}
	if marked < 0 {
		return 0, fmt.Errorf("%s: the workflow has no run handler: set handler_type of one method to WORKFLOW_RUN, or name it Run", s.Desc.FullName())
	}
	return marked, nil
}

func runType(t string) bool { return t == "WORKFLOW_RUN" || t == "WORKFLOW" || t == "RUN" }

// fitting says which handler types fit a service.
func (s *service) fitting() string {
	switch s.kind {
	case "Object":
		return "a VIRTUAL_OBJECT has EXCLUSIVE and SHARED handlers"
	case "Workflow":
		return "a WORKFLOW has one WORKFLOW_RUN and SHARED handlers"
	default:
		return "the handlers of a SERVICE have no type; is the option service_type missing?"
	}
}

// handlerKind is the word that the names of a handler are made of, for example
// ObjectShared in NewObjectSharedHandler and ObjectSharedContext.
func (s *service) handlerKind(m method) string {
	if m.shared {
		return s.kind + "Shared"
	}
	return s.kind
}

// context is the name of the context that a handler gets.
func (s *service) context(m method) string {
	if s.kind == "Service" {
		return "Context"
	}
	return s.handlerKind(m) + "Context"
}
