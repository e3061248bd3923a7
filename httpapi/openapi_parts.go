package httpapi

// Parts of OpenAPI documents that are the same for all services.

func stringSchema() object { return object{"type": "string"} }

func header(description string, schema object) object {
	return object{"description": description, "schema": schema}
}

// pathParameter is a segment of a path; maxBytes 0 sets no limit.
func pathParameter(name, description string, maxBytes int) object {
	schema := stringSchema()
	if maxBytes > 0 {
		schema["maxLength"] = maxBytes
	}
	return object{"name": name, "in": "path", "required": true, "description": description, "schema": schema}
}

// withPost is a path with one operation.
func withPost(parameters []any, operation object) object {
	item := object{"post": operation}
	if len(parameters) > 0 {
		item["parameters"] = parameters
	}
	return item
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

// acceptedSchema describes the body of writeAccepted.
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

// failureSchema describes ingressError.
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
