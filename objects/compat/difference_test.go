package restate_test

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestEveryNameOfTheOriginalIsHereWithItsSignature(t *testing.T) {
	t.Parallel()
	theirs, ours := surfaceOf(t, original(t)), surfaceOf(t, ".")
	pairInternals(t, theirs, ours)
	found := 0
	var differences []string
	for _, pkg := range packages() {
		have := ours.exported(pkg)
		for name, o := range theirs.exported(pkg) {
			found++
			c := comparison{theirs, ours, theirs.packages[pkg].Name() + "." + name, nil}
			c.object(o, have[name])
			differences = append(differences, c.differences...)
		}
	}
	if found < 200 {
		t.Errorf("only %d names were compared", found)
	}
	expected := expected()
	for _, d := range slices.Sorted(slices.Values(differences)) {
		if expected[d] == "" && !aboutMocks(d) {
			t.Errorf("%s", d)
		}
		delete(expected, d)
	}
	for d, reason := range expected {
		t.Errorf("%q is no difference any more (%s): remove it from the list", d, reason)
	}
}

// expected are the differences that are meant, each with its reason.
func expected() map[string]string {
	const (
		sealed   = "options are combined, never implemented, so nobody fills this struct"
		engine   = "what a handler is for the runtime; handlers are made by constructors only"
		embedded = "the names of the options are those of Dormouse; only the runtime reads them"
	)
	m := map[string]string{}
	for _, position := range []string{
		"Attach", "Awakeable", "Client", "Get", "IngressClient", "IngressInvocationHandle", "IngressRequest", "IngressSend", "Promise",
		"Request", "ResolveAwakeable", "ResolveSignal", "Run", "Send", "Set", "Signal", "Sleep",
	} {
		m["options."+position+"Options: missing"] = sealed
	}
	for _, kind := range []string{"Object", "ObjectShared", "Service", "Workflow", "WorkflowShared"} {
		m["restate.New"+kind+"Handler: result 0 has no method Call"] = engine
		m["restate.New"+kind+"Handler: result 0 has no method HandlerType"] = engine
	}
	for _, method := range []string{"Attach", "Output", "Request", "Send"} {
		m["ingress.Client: type has no method "+method] = "takes a type that programs cannot name; they call it through a Requester or a handle"
	}
	m["options.HandlerOptions: no field InvocationRetryPolicy"] = embedded
	m["options.ServiceDefinitionOptions: no field InvocationRetryPolicy"] = embedded
	m["options.ServiceDefinitionOptions: no field DefaultCodec"] = embedded
	return m
}

// aboutMocks reports whether a difference is one of mock contexts. What they have
// in the original is made of types that programs cannot name, for x/mocks, which
// is not covered. Their two names must be there.
func aboutMocks(d string) bool {
	name, what, _ := strings.Cut(d, ": ")
	return (name == "restate.MockableContext" || name == "restate.WithMockContext") && what != "missing"
}

// pairInternals names types that signatures of both sides show, and that have no
// public name.
func pairInternals(t *testing.T, theirs, ours *surface) {
	t.Helper()
	method := func(s *surface, name string) types.Type {
		o, _, _ := types.LookupFieldOrMethod(s.public["restate.ServiceDefinition"], false, nil, name)
		if o == nil {
			t.Fatalf("ServiceDefinition has no method %s", name)
		}
		return o.(*types.Func).Signature().Results().At(0).Type()
	}
	for _, s := range []*surface{theirs, ours} {
		s.name("its ServiceType", method(s, "Type"))
		s.name("its Handler", method(s, "Handlers").Underlying().(*types.Map).Elem())
	}
}

// comparison compares what one name stands for on both sides.
type comparison struct {
	theirs, ours *surface
	name         string
	differences  []string
}

func (c *comparison) differ(format string, args ...any) {
	c.differences = append(c.differences, c.name+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) object(theirs, ours types.Object) {
	if ours == nil {
		c.differ("missing")
		return
	}
	if kind, have := reflect.TypeOf(theirs), reflect.TypeOf(ours); kind != have {
		c.differ("is a %v, should be a %v", have, kind)
		return
	}
	switch theirs := theirs.(type) {
	case *types.Func:
		c.function(theirs.Signature(), ours.(*types.Func).Signature())
	case *types.Const:
		if !constant.Compare(theirs.Val(), token.EQL, ours.(*types.Const).Val()) {
			c.differ("is %v, should be %v", ours.(*types.Const).Val(), theirs.Val())
		}
		c.same("has type", theirs.Type(), ours.Type())
	case *types.Var:
		c.value("the variable", theirs.Type(), ours.Type())
	case *types.TypeName:
		c.typ(theirs.Type(), ours.Type())
	}
}

func (c *comparison) same(what string, theirs, ours types.Type) {
	if want, got := c.theirs.text(theirs), c.ours.text(ours); want != got {
		c.differ("%s %s, should be %s", what, got, want)
	}
}

func (c *comparison) function(theirs, ours *types.Signature) {
	if want, got := theirs.TypeParams().Len(), ours.TypeParams().Len(); want != got {
		c.differ("has %d type parameters, should have %d", got, want)
		return
	}
	if want, got := c.theirs.tuple(theirs.Params()), c.ours.tuple(ours.Params()); want != got || theirs.Variadic() != ours.Variadic() {
		c.differ("takes (%s), should take (%s)", got, want)
	}
	if want, got := theirs.Results().Len(), ours.Results().Len(); want != got {
		c.differ("has %d results, should have %d", got, want)
		return
	}
	for i := range theirs.Results().Len() {
		c.value(fmt.Sprintf("result %d", i), theirs.Results().At(i).Type(), ours.Results().At(i).Type())
	}
}

// value compares the type of a value that users get. One without a public name
// only has to fit wherever the original fits, and to have its methods.
func (c *comparison) value(what string, theirs, ours types.Type) {
	if c.theirs.text(theirs) == c.ours.text(ours) {
		return
	}
	if named := namedOf(theirs); named == nil || c.theirs.names[named.Obj()] != "" {
		c.same(what+" has type", theirs, ours)
		return
	}
	fits := c.ours.positions(ours)
	for _, position := range c.theirs.positions(theirs) {
		if !slices.Contains(fits, position) {
			c.differ("%s is no %s", what, position)
		}
	}
	for name, m := range exportedMethods(theirs) {
		c.method(what+" has", name, m, ours, namedOf(theirs))
	}
}

// method looks for a method of the original. Those that make an option one are
// sealed here, which is meant for all of them. A method that returns its
// receiver may do so here.
func (c *comparison) method(who, name string, theirs *types.Func, ours types.Type, receiver *types.Named) {
	if strings.HasPrefix(name, "Before") {
		return
	}
	o, _, _ := types.LookupFieldOrMethod(ours, true, nil, name)
	m, ok := o.(*types.Func)
	if !ok {
		c.differ("%s no method %s", who, name)
		return
	}
	want, got := c.theirs.signature(theirs.Signature()), c.ours.signature(m.Signature())
	if receiver != nil {
		want = strings.ReplaceAll(want, c.theirs.named(receiver), "itself")
		got = strings.ReplaceAll(got, c.ours.text(deref(ours)), "itself")
	}
	if want != got {
		c.differ("method %s is %s, should be %s", name, got, want)
	}
}

func (c *comparison) typ(theirs, ours types.Type) {
	theirs, ours = types.Unalias(theirs), types.Unalias(ours)
	if want, got := params(theirs), params(ours); want != got {
		c.differ("has %d type parameters, should have %d", got, want)
		return
	}
	for name, m := range exportedMethods(theirs) {
		c.method("type has", name, m, ours, namedOf(theirs))
	}
	switch u := theirs.Underlying().(type) {
	case *types.Interface:
		if _, ok := ours.Underlying().(*types.Interface); !ok {
			c.differ("is a %T, should be an interface", ours.Underlying())
		}
	case *types.Struct:
		for f := range u.Fields() {
			c.field(u, f, ours)
		}
	default:
		c.same("is", theirs.Underlying(), ours.Underlying())
	}
}

func (c *comparison) field(owner *types.Struct, theirs *types.Var, ours types.Type) {
	if !theirs.Exported() {
		return
	}
	o, at, _ := types.LookupFieldOrMethod(ours, true, nil, theirs.Name())
	f, ok := o.(*types.Var)
	if !ok {
		c.differ("no field %s", theirs.Name())
		return
	}
	c.same("field "+f.Name()+" is", theirs.Type(), f.Type())
	have, ok := ours.Underlying().(*types.Struct)
	if want := tagOf(owner, theirs.Name()); ok && len(at) == 1 && tagOf(have, f.Name()) != want {
		c.differ("field %s has tag %q, should have %q", f.Name(), tagOf(have, f.Name()), want)
	}
}

func tagOf(s *types.Struct, field string) string {
	for i := range s.NumFields() {
		if s.Field(i).Name() == field {
			return s.Tag(i)
		}
	}
	return ""
}

func params(t types.Type) int {
	if named, ok := t.(*types.Named); ok {
		return named.TypeParams().Len()
	}
	return 0
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return types.Unalias(p.Elem())
	}
	return types.Unalias(t)
}

func namedOf(t types.Type) *types.Named {
	named, _ := deref(t).(*types.Named)
	return named
}

// exportedMethods returns the methods that a variable of type t has.
func exportedMethods(t types.Type) map[string]*types.Func {
	t = types.Unalias(t)
	if _, isInterface := t.Underlying().(*types.Interface); !isInterface {
		if _, isPointer := t.(*types.Pointer); !isPointer {
			t = types.NewPointer(t)
		}
	}
	found := map[string]*types.Func{}
	for selection := range types.NewMethodSet(t).Methods() {
		if f := selection.Obj().(*types.Func); f.Exported() {
			found[f.Name()] = f
		}
	}
	return found
}
