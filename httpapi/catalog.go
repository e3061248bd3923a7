package httpapi

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// catalog is what the ingress needs to know about the bound services. It is
// made once and never changes.
type catalog map[string]*service

// service is one bound service.
type service struct {
	name     string
	keyed    bool
	handlers map[string]*handler
}

// handler is one handler of a bound service.
type handler struct {
	name    string
	kind    ident.Kind
	private bool
	input   inputRule
	output  outputRule
}

// inputRule says which bodies a handler accepts. The zero value accepts an
// empty body only.
type inputRule struct {
	contentType string
	required    bool
}

// outputRule says which content type the answer of a handler has. The zero
// value has none.
type outputRule struct {
	contentType always
	ifEmpty     bool
}

// newCatalog reads the definitions.
func newCatalog(defs []objects.ServiceDefinition) catalog {
	c := make(catalog, len(defs))
	for _, def := range defs {
		s := &service{
			name:     def.Name(),
			keyed:    def.Type() != objects.ServiceTypeService,
			handlers: make(map[string]*handler, len(def.Handlers())),
		}
		settings := objects.SettingsOf(def, objects.DefaultSettings())
		for name, h := range def.Handlers() {
			s.handlers[name] = &handler{
				name:    name,
				kind:    h.Kind(),
				private: settings[name].IngressPrivate,
				input:   newInputRule(h.InputPayload()),
				output:  newOutputRule(h.OutputPayload()),
			}
		}
		c[s.name] = s
	}
	return c
}

// find returns the rules of a target, or nil when this build does not bind it.
func (c catalog) find(t ident.Target) *handler {
	s := c[t.Service]
	if s == nil {
		return nil
	}
	return s.handlers[t.Handler]
}

// run returns the run handler of a workflow, or nil when this build binds no
// such workflow.
func (c catalog) run(workflow string) *handler {
	if s := c[workflow]; s != nil {
		for _, h := range s.handlers {
			if h.kind == ident.KindWorkflow {
				return h
			}
		}
	}
	return nil
}

// health returns the answer of the health route.
func (c catalog) health() ([]byte, error) {
	names := slices.SortedFunc(maps.Keys(c), cmp.Compare[string])
	if names == nil {
		names = []string{}
	}
	return json.Marshal(struct {
		Services []string `json:"services"`
	}{names})
}

func newInputRule(p *encoding.InputPayload) inputRule {
	if p == nil || p.ContentType == nil {
		return inputRule{}
	}
	return inputRule{contentType: *p.ContentType, required: p.Required}
}

func newOutputRule(p *encoding.OutputPayload) outputRule {
	if p == nil || p.ContentType == nil || *p.ContentType == "" {
		return outputRule{}
	}
	return outputRule{contentType: newAlways(*p.ContentType), ifEmpty: p.SetContentTypeIfEmpty}
}

const (
	contentTypeJSON     = "application/json"
	contentTypeProtobuf = "application/proto"
)

// check returns the failure of a body that the handler does not accept, or nil.
// Whether the bytes decode is for the handler to say.
func (i inputRule) check(contentType string, body []byte) *failure {
	got := mediaType(contentType)
	switch {
	case i.contentType == encoding.AnyContentType:
		return nil
	case i.contentType == "":
		if len(body) > 0 {
			return badRequest("this handler takes no input: the body must be empty")
		}
		if got != "" && !strings.EqualFold(got, contentTypeJSON) {
			return badRequest("this handler takes no input and got " + nameType(got) + ": leave the content type out")
		}
		return nil
	case got == "" && len(body) == 0 && !i.required:
		return nil
	case len(body) == 0 && i.required && i.contentType != contentTypeProtobuf:
		return badRequest("the body is empty; this handler needs " + i.noun())
	case !strings.EqualFold(got, i.contentType):
		return badRequest("this handler takes " + i.contentType + " and got " + nameType(got) + ": " + i.advice())
	}
	return nil
}

// noun names the input of a handler that needs one.
func (i inputRule) noun() string {
	if i.contentType == contentTypeJSON {
		return "a JSON input"
	}
	return "an input of type " + i.contentType
}

// advice says how to send the content type.
func (i inputRule) advice() string {
	header := "add -H 'content-type: " + i.contentType + "'"
	if i.contentType == contentTypeJSON {
		header += ", or use curl --json"
	}
	return header
}

// nameType names the content type that came. One that is too long is not
// repeated.
func nameType(got string) string {
	switch {
	case got == "":
		return "no content type"
	case len(got) > maxNameBytes:
		return "another content type"
	}
	return got
}

// mediaType drops the parameters of a content type.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(media)
}
