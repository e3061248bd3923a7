package generate

import "strconv"

// ingressClient writes the client that programs use outside a handler.
func (g writer) ingressClient(s *service) {
	name := s.GoName + "IngressClient"
	client := g.QualifiedGoIdent(ingress.Ident("Client"))
	typed := func(m method) string {
		return m.GoName + "() " + g.QualifiedGoIdent(ingress.Ident("Requester")) + "[" + g.types(m) + "]"
	}
	g.P()
	g.P("// ", name, " calls ", s.Desc.FullName(), " from outside a handler.")
	g.P("type ", name, " interface {")
	for _, m := range s.methods {
		g.documented(m)
		g.P(typed(m))
	}
	g.P("}")
	g.P()
	g.P("type ", unexported(name), " struct {")
	g.P("client *", client)
	key, field, argument := "", "", "nil"
	if s.keyed() {
		g.P(s.key(), " string")
		key, field, argument = ", "+s.key()+" string", ", "+s.key(), "&c."+s.key()
	}
	g.P("}")
	g.P()
	g.P("// New", name, " returns a client of ", s.Desc.FullName(), ". Messages are sent as JSON.")
	g.P("func New", name, "(client *", client, key, ") ", name, " {")
	g.P("return &", unexported(name), "{client", field, "}")
	g.P("}")
	for _, m := range s.methods {
		g.P()
		g.P("func (c *", unexported(name), ") ", typed(m), " {")
		g.P("codec := ", encoding.Ident("ProtoJSONCodec"))
		g.P("return ", ingress.Ident("NewRequester"), "[", g.types(m), "](c.client, ",
			strconv.Quote(string(s.Desc.Name())), ", ", strconv.Quote(string(m.Desc.Name())), ", ", argument, ", &codec)")
		g.P("}")
	}
}
