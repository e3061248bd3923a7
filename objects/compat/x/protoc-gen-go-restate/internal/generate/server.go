package generate

import "strconv"

// server writes the interface that handlers implement, and what implements it
// with nothing.
func (g writer) server(s *service) {
	name := s.GoName + "Server"
	typed := func(m method, request string) string {
		return m.GoName + "(ctx " + g.sdk(s.context(m)) + ", " + request + " *" + g.QualifiedGoIdent(m.Input.GoIdent) + ") (*" + g.QualifiedGoIdent(m.Output.GoIdent) + ", error)"
	}
	g.P()
	g.P("// ", name, " has the handlers of ", s.Desc.FullName(), ".")
	g.P("// Implementations should embed Unimplemented", name, ", by value, so that")
	g.P("// they still compile when a method is added.")
	g.P("type ", name, " interface {")
	for _, m := range s.methods {
		g.documented(m)
		g.P(typed(m, "req"))
	}
	g.P("}")
	g.P()
	g.P("// Unimplemented", name, " answers every method with a terminal error, code 501.")
	g.P("type Unimplemented", name, " struct{}")
	for _, m := range s.methods {
		g.P()
		g.P("// ", m.GoName, " is not implemented.")
		g.P("func (Unimplemented", name, ") ", typed(m, "req"), " {")
		g.P("return nil, ", g.sdk("ToTerminalError"), "(", errors.Ident("New"), "(", strconv.Quote("method "+m.GoName+" not implemented"), "), ", g.sdk("WithErrorCode"), "(501))")
		g.P("}")
	}
	g.P()
	g.P("func (Unimplemented", name, ") testEmbeddedByValue() {}")
}

// definition writes the function that makes a definition of an implementation.
func (g writer) definition(s *service) {
	name := s.GoName + "Server"
	option := g.sdk("ServiceDefinitionOption")
	g.P()
	g.P("// New", name, " returns the definition of ", s.Desc.FullName(), " with the handlers of srv,")
	g.P("// to be bound to a server. Messages are JSON unless opts say otherwise.")
	g.P("func New", name, "(srv ", name, ", opts ...", option, ") ", g.sdk("ServiceDefinition"), " {")
	g.P("// This panics here, and not at a request, when Unimplemented", name)
	g.P("// was embedded as a nil pointer.")
	g.P("if t, ok := srv.(interface{ testEmbeddedByValue() }); ok {")
	g.P("t.testEmbeddedByValue()")
	g.P("}")
	g.P("all := append([]", option, "{", g.sdk("WithProtoJSON"), "}, opts...)")
	g.P("definition := ", g.sdk("New"+s.kind), "(", strconv.Quote(string(s.Desc.Name())), ", all...)")
	for _, m := range s.methods {
		g.P("definition = definition.Handler(", strconv.Quote(string(m.Desc.Name())), ", ", g.sdk("New"+s.handlerKind(m)+"Handler"), "(srv.", m.GoName, "))")
	}
	g.P("return definition")
	g.P("}")
}
