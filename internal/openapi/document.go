package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Surroundings are what a document says beside the definition of its service.
// The zero value is a server at "/" that asks for no token.
type Surroundings struct {
	// Server is the URL of the ingress, without a slash at its end.
	Server string
	// IngressTokens and AwakeableTokens say which requests need a bearer token:
	// all but answers to awakeables, and those.
	IngressTokens, AwakeableTokens bool
	// MaxKeyBytes bounds object keys, workflow ids and idempotency keys, in
	// bytes; 0 sets no limit.
	MaxKeyBytes int
}

// Document returns the OpenAPI 3.1 document of a service: what the ingress takes
// for it. Handlers that only other handlers may call are left out. It consists of
// values that encoding/json writes the same way each time, and belongs to the
// caller.
func Document(def objects.ServiceDefinition, at Surroundings) map[string]any {
	d := document{
		name: def.Name(), keyed: def.Type() != objects.ServiceTypeService, def: def,
		at: at, schemas: newSchemaSet(), paths: object{},
	}
	return d.make()
}

// document is a document that is being made.
type document struct {
	name    string
	keyed   bool
	def     objects.ServiceDefinition
	at      Surroundings
	schemas *schemaSet
	paths   object
}

func (d *document) make() object {
	failure := d.schemas.put("IngressFailure", failureSchema())
	d.schemas.put("IngressAccepted", acceptedSchema())
	handlers, settings := d.def.Handlers(), objects.SettingsOf(d.def, objects.DefaultSettings())
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		if !settings[name].IngressPrivate {
			d.addHandler(name, handlers[name])
		}
	}
	if len(d.paths) > 0 {
		d.addAwakeables()
		d.addInvocations()
	}
	info := object{"title": d.name, "version": "1"}
	if doc := d.def.GetOptions().Documentation; doc != "" {
		info["description"] = doc
	}
	components := object{"schemas": d.schemas.components, "responses": object{"Failure": failureAnswer(failure)}}
	whole := object{
		"openapi":    "3.1.0",
		"info":       info,
		"servers":    []any{object{"url": d.at.Server}},
		"paths":      d.paths,
		"components": components,
	}
	if d.at.IngressTokens || d.at.AwakeableTokens {
		components["securitySchemes"] = tokenScheme()
	}
	if d.at.IngressTokens {
		whole["security"] = needsToken()
	}
	return whole
}

// addHandler adds the call of a handler, the send, and what leads to the result
// of a request with an idempotency key.
func (d *document) addHandler(name string, h objects.Handler) {
	target := d.name
	var key []any
	if d.keyed {
		target += "/{key}"
		key = []any{pathParameter("key", "The key of the object or the id of the workflow, percent-encoded.", d.at.MaxKeyBytes)}
	}
	target += "/" + name
	id := d.name + "." + name
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
		d.addResult("/restate/workflow/"+d.name+"/{key}", key, id, h)
		return
	}
	key = append(slices.Clone(key), pathParameter("idempotencyKey", "The idempotency key of the request.", d.at.MaxKeyBytes))
	d.addResult("/restate/invocation/"+target+"/{idempotencyKey}", key, id, h)
}

// operation is what a call and a send have in common.
func (d *document) operation(id, summary string, h objects.Handler) object {
	op := object{"operationId": id, "summary": summary, "tags": []any{d.name}}
	if doc := h.GetOptions().Documentation; doc != "" {
		op["description"] = doc
	}
	parameters := []any{}
	if h.Kind() != ident.KindWorkflow {
		parameters = append(parameters, object{
			"name": "idempotency-key", "in": "header", "schema": boundedString(d.at.MaxKeyBytes),
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
func (d *document) requestBody(id string, p *encoding.InputPayload) object {
	if p == nil || p.ContentType == nil {
		return nil
	}
	return object{
		"required": p.Required,
		"content":  object{*p.ContentType: d.media(strings.TrimSuffix(id, ".send")+".input", p.JsonSchema)},
	}
}

func (d *document) media(name string, schema any) object {
	if schema == nil {
		return object{}
	}
	return object{"schema": d.schemas.add(name, schema)}
}

// results are the answers to whoever waits for a handler.
func (d *document) results(id string, h objects.Handler) object {
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
func (d *document) addResult(path string, parameters []any, id string, h objects.Handler) {
	attach, output := d.results(id, h), d.results(id, h)
	output["470"] = failureResponse()
	d.addGet(path+"/attach", parameters, id+".attach", "Wait for the result of an invocation of "+d.handlerOf(id), attach)
	d.addGet(path+"/output", parameters, id+".output", "Get the result of an invocation of "+d.handlerOf(id)+", 470 while there is none", output)
}

func (d *document) handlerOf(id string) string { return strings.TrimPrefix(id, d.name+".") }

func (d *document) addGet(path string, parameters []any, id, summary string, responses object) {
	item := object{"get": object{"operationId": id, "summary": summary, "tags": []any{"Results"}, "responses": responses}}
	if len(parameters) > 0 {
		item["parameters"] = parameters
	}
	d.paths[path] = item
}

// addInvocations adds the results of invocations by id, whatever their handler.
func (d *document) addInvocations() {
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
func (d *document) addAwakeables() {
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
		"resolve": "Resolve an awakeable with the bytes of the body",
		"reject":  "Reject an awakeable; the body is the reason, as text",
	} {
		content := object{contentTypeJSON: object{}}
		if verb == "reject" {
			content = object{"text/plain": object{"schema": stringSchema()}}
		}
		answer := object{
			"operationId": verb, "summary": what, "tags": []any{"Awakeables"},
			"requestBody": object{"required": false, "content": content},
			"responses":   accepted(),
		}
		switch {
		case d.at.AwakeableTokens && !d.at.IngressTokens:
			answer["security"] = needsToken()
		case d.at.IngressTokens && !d.at.AwakeableTokens:
			answer["security"] = []any{} // none
		}
		d.paths["/restate/awakeables/{awakeableId}/"+verb] = withPost(parameters, answer)
	}
}
