package openapi

// Parts of documents that are the same for all services.

const contentTypeJSON = "application/json"

func stringSchema() object { return object{"type": "string"} }

// boundedString is the schema of text; maxBytes 0 sets no limit.
func boundedString(maxBytes int) object {
	schema := stringSchema()
	if maxBytes > 0 {
		schema["maxLength"] = maxBytes
	}
	return schema
}

func header(description string, schema object) object {
	return object{"description": description, "schema": schema}
}

// pathParameter is a segment of a path; maxBytes 0 sets no limit.
func pathParameter(name, description string, maxBytes int) object {
	return object{"name": name, "in": "path", "required": true, "description": description, "schema": boundedString(maxBytes)}
}

// withPost is a path with one operation.
func withPost(parameters []any, operation object) object {
	item := object{"post": operation}
	if len(parameters) > 0 {
		item["parameters"] = parameters
	}
	return item
}

// tokenScheme is how requests say who they are; needsToken asks for it.
func tokenScheme() object {
	return object{"token": object{"type": "http", "scheme": "bearer", "description": "One of the tokens that the program was given."}}
}

func needsToken() []any { return []any{object{"token": []any{}}} }

// failureAnswer is the component to which failureResponse refers.
func failureAnswer(schema object) object {
	return object{
		"description": "What went wrong. With the source ingress nothing was accepted, and the request may be repeated; " +
			"with the source invocation this is the result of the invocation that x-restate-id names.",
		"headers": object{
			"x-restate-error-source": header("Who is responsible.", object{"type": "string", "enum": []any{"ingress", "invocation"}}),
			"x-restate-id":           header("The invocation, when there is one.", stringSchema()),
			"retry-after":            header("When to repeat the request, in seconds.", object{"type": "integer"}),
		},
		"content": object{contentTypeJSON: object{"schema": schema}},
	}
}

func failureResponse() object { return object{"$ref": "#/components/responses/Failure"} }

func sendResponses() object {
	return object{
		"202": object{
			"description": "The invocation is durable.",
			"headers":     object{"x-restate-id": header("The invocation.", stringSchema())},
			"content":     object{contentTypeJSON: object{"schema": object{"$ref": componentPrefix + "IngressAccepted"}}},
		},
		"default": failureResponse(),
	}
}

// acceptedSchema describes the body of a 202.
func acceptedSchema() object {
	return object{
		"type":     "object",
		"required": []any{"invocationId", "status"},
		"properties": object{
			"invocationId":  object{"type": "string"},
			"executionTime": object{"type": "string", "format": "date-time", "description": "When a delayed invocation begins."},
			"status":        object{"type": "string", "enum": []any{"Accepted", "PreviouslyAccepted"}},
		},
	}
}

// failureSchema describes the body of an error.
func failureSchema() object {
	return object{
		"type":     "object",
		"required": []any{"code", "message", "source"},
		"properties": object{
			"code":       object{"type": "integer", "description": "The status, or the code of a terminal error that is none."},
			"message":    object{"type": "string", "description": "For people; it may change."},
			"stacktrace": object{"type": "string"},
			"metadata":   object{"type": "object", "additionalProperties": object{"type": "string"}},
			"source":     object{"type": "string", "enum": []any{"ingress", "invocation"}},
		},
	}
}
