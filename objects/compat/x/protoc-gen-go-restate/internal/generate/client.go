package generate

import "strconv"

// client writes the client that handlers use.
func (g writer) client(s *service) {
	name := s.GoName + "Client"
	option := g.sdk("ClientOption")
	typed := func(m method) string {
		return m.GoName + "(opts ..." + option + ") " + g.sdk("Client") + "[" + g.types(m) + "]"
	}
	g.P()
	g.P("// ", name, " calls ", s.Desc.FullName(), " from inside a handler.")
	g.P("type ", name, " interface {")
	for _, m := range s.methods {
		g.documented(m)
		g.P(typed(m))
	}
	g.P("}")
	g.P()
	g.P("type ", unexported(name), " struct {")
	g.P("ctx ", g.sdk("Context"))
	if s.keyed() {
		g.P(s.key(), " string")
	}
	g.P("options []", option)
	g.P("}")
	g.P()
	key, field, argument := "", "", ""
	if s.keyed() {
		key, field, argument = s.key()+" string, ", s.key()+", ", "c."+s.key()+", "
	}
	g.P("// New", name, " returns a client of ", s.Desc.FullName(), ". Messages are sent as JSON")
	g.P("// unless opts say otherwise.")
	g.P("func New", name, "(ctx ", g.sdk("Context"), ", ", key, "opts ...", option, ") ", name, " {")
	g.P("return &", unexported(name), "{ctx, ", field, "append([]", option, "{", g.sdk("WithProtoJSON"), "}, opts...)}")
	g.P("}")
	for _, m := range s.methods {
		g.P()
		g.P("func (c *", unexported(name), ") ", typed(m), " {")
		g.P("all := append(append([]", option, "{}, c.options...), opts...)")
		g.P("return ", g.sdk("WithRequestType"), "[*", m.Input.GoIdent, "](", g.sdk(s.kind), "[*", m.Output.GoIdent, "](c.ctx, ",
			strconv.Quote(string(s.Desc.Name())), ", ", argument, strconv.Quote(string(m.Desc.Name())), ", all...))")
		g.P("}")
	}
}
