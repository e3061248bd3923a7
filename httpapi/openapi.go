package httpapi

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// openAPIDocuments returns, for each service, what makes its document when it is
// first asked for. The bytes are the same for every start of a build.
func (s *Server) openAPIDocuments() map[string]func() ([]byte, error) {
	documents := map[string]func() ([]byte, error){}
	for _, def := range s.rt.Services() {
		documents[def.Name()] = sync.OnceValues(func() ([]byte, error) {
			d := openAPI{
				service: s.services[def.Name()], def: def, schemas: newSchemaSet(),
				paths: object{}, server: strings.TrimSuffix(endpoint(s.opts.Ingress), "/"),
			}
			return encodeJSON(d.document())
		})
	}
	return documents
}

// openAPI makes the OpenAPI 3.1 document of one service: what the ingress takes
// for it. Handlers that only other handlers may call are left out.
type openAPI struct {
	service *service
	def     objects.ServiceDefinition
	schemas *schemaSet
	paths   object
	server  string
}

func (d *openAPI) document() object {
	failure := d.schemas.put("IngressFailure", failureSchema())
	d.schemas.put("IngressAccepted", acceptedSchema())
	handlers := d.def.Handlers()
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		if !d.service.handlers[name].private {
			d.addHandler(name, handlers[name])
		}
	}
	if len(d.paths) > 0 {
		d.addAwakeables()
		d.addInvocations()
	}
	info := object{"title": d.service.name, "version": "1"}
	if doc := d.def.GetOptions().Documentation; doc != "" {
		info["description"] = doc
	}
	return object{
		"openapi": "3.1.0",
		"info":    info,
		"servers": []any{object{"url": d.server}},
		"paths":   d.paths,
		"components": object{
			"schemas": d.schemas.components,
			"responses": object{"Failure": object{
				"description": "What went wrong. With the source ingress nothing was accepted, and the request may be repeated; " +
					"with the source invocation this is the result of the invocation that x-restate-id names.",
				"headers": object{
					"x-restate-error-source": header("Who is responsible.", object{"type": "string", "enum": []any{"ingress", "invocation"}}),
					"x-restate-id":           header("The invocation, when there is one.", stringSchema()),
					"retry-after":            header("When to repeat the request, in seconds.", object{"type": "integer"}),
				},
				"content": object{contentTypeJSON: object{"schema": failure}},
			}},
		},
	}
}

// addHandler adds the call of a handler, the send, and what leads to the result
// of a request with an idempotency key.
func (d *openAPI) addHandler(name string, h objects.Handler) {
	target := d.service.name
	var key []any
	if d.service.keyed {
		target += "/{key}"
		key = []any{pathParameter("key", "The key of the object or the id of the workflow, percent-encoded.", maxKeyBytes)}
	}
	target += "/" + name
	id := d.service.name + "." + name
	call := d.operation(id, "Call "+name+" and wait for its result", h)
	call["responses"] = d.results(id, h)
	send := d.operation(id+".send", "Send to "+name+" and do not wait for its result", h)
	send["responses"] = sendResponses()
	send["parameters"] = append(send["parameters"].([]any), object{
		"name": "delay", "in": "query", "schema": stringSchema(), "example": "1h 30m",
		"description": "When to begin: a time with units, 10s or 1h 30m, or of ISO 8601, PT1H30M.",
	})
	d.paths["/"+target] = withPost(key, call)
	d.paths["/"+target+"/send"] = withPost(key, send)
	if h.Kind() == ident.KindWorkflow {
		d.addResult("/restate/workflow/"+d.service.name+"/{key}", key, id, h)
		return
	}
	key = append(slices.Clone(key), pathParameter("idempotencyKey", "The idempotency key of the request.", maxKeyBytes))
	d.addResult("/restate/invocation/"+target+"/{idempotencyKey}", key, id, h)
}

// operation is what a call and a send have in common.
func (d *openAPI) operation(id, summary string, h objects.Handler) object {
	op := object{"operationId": id, "summary": summary, "tags": []any{d.service.name}}
	if doc := h.GetOptions().Documentation; doc != "" {
		op["description"] = doc
	}
	parameters := []any{}
	if h.Kind() != ident.KindWorkflow {
		parameters = append(parameters, object{
			"name": "idempotency-key", "in": "header", "schema": object{"type": "string", "maxLength": maxKeyBytes},
			"description": "Requests with the same key are one invocation: the first is executed, all get its result.",
		})
	}
	op["parameters"] = parameters
	if body := d.requestBody(id, h.InputPayload()); body != nil {
		op["requestBody"] = body
	}
	return op
}

// requestBody returns nil for a handler without input.
func (d *openAPI) requestBody(id string, p *encoding.InputPayload) object {
	if p == nil || p.ContentType == nil {
		return nil
	}
	return object{
		"required": p.Required,
		"content":  object{*p.ContentType: d.media(strings.TrimSuffix(id, ".send")+".input", p.JsonSchema)},
	}
}

func (d *openAPI) media(name string, schema any) object {
	if schema == nil {
		return object{}
	}
	return object{"schema": d.schemas.add(name, schema)}
}

// results are the answers to whoever waits for a handler.
func (d *openAPI) results(id string, h objects.Handler) object {
	ok := object{
		"description": "The output of the handler.",
		"headers": object{
			"x-restate-id":        header("The invocation.", stringSchema()),
			"idempotency-expires": header("When a result that was there before is forgotten.", stringSchema()),
		},
	}
	if p := h.OutputPayload(); p != nil && p.ContentType != nil {
		ok["content"] = object{*p.ContentType: d.media(id+".output", p.JsonSchema)}
	}
	return object{"200": ok, "default": failureResponse()}
}

// addResult adds the two ways to the result of an invocation.
func (d *openAPI) addResult(path string, parameters []any, id string, h objects.Handler) {
	attach, output := d.results(id, h), d.results(id, h)
	output["470"] = failureResponse()
	d.addGet(path+"/attach", parameters, id+".attach", "Wait for the result of an invocation of "+d.handlerOf(id), attach)
	d.addGet(path+"/output", parameters, id+".output", "Get the result of an invocation of "+d.handlerOf(id)+", 470 while there is none", output)
}

func (d *openAPI) handlerOf(id string) string { return strings.TrimPrefix(id, d.service.name+".") }

func (d *openAPI) addGet(path string, parameters []any, id, summary string, responses object) {
	item := object{"get": object{"operationId": id, "summary": summary, "tags": []any{"Results"}, "responses": responses}}
	if len(parameters) > 0 {
		item["parameters"] = parameters
	}
	d.paths[path] = item
}

// addInvocations adds the results of invocations by id, whatever their handler.
func (d *openAPI) addInvocations() {
	parameters := []any{pathParameter("invocationId", "The id of an invocation.", 0)}
	result := func() object {
		return object{
			"200":     object{"description": "The output of the handler, with its content type.", "content": object{"*/*": object{}}},
			"default": failureResponse(),
		}
	}
	output := result()
	output["470"] = failureResponse()
	d.addGet("/restate/invocation/{invocationId}/attach", parameters, "attach", "Wait for the result of an invocation", result())
	d.addGet("/restate/invocation/{invocationId}/output", parameters, "output", "Get the result of an invocation, 470 while there is none", output)
}

// addAwakeables adds the answers to what handlers of the service wait for.
func (d *openAPI) addAwakeables() {
	parameters := []any{pathParameter("awakeableId", "The id of an awakeable, as its handler has given it out.", 0)}
	accepted := func() object {
		return object{
			"202": object{
				"description": "The answer is stored, or one was stored before, and the first one wins.",
				"headers": object{"x-dormouse-outcome": header("What became of it.",
					object{"type": "string", "enum": []any{"applied", "duplicate", "completed"}})},
			},
			"default": failureResponse(),
		}
	}
	for verb, what := range map[string]string{
		verbResolve: "Resolve an awakeable with the bytes of the body",
		verbReject:  "Reject an awakeable; the body is the reason, as text",
	} {
		content := object{contentTypeJSON: object{}}
		if verb == verbReject {
			content = object{"text/plain": object{"schema": stringSchema()}}
		}
		d.paths["/restate/awakeables/{awakeableId}/"+verb] = withPost(parameters, object{
			"operationId": verb, "summary": what, "tags": []any{"Awakeables"},
			"requestBody": object{"required": false, "content": content},
			"responses":   accepted(),
		})
	}
}
