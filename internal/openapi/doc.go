// Package openapi describes services in the language of HTTP clients: from a
// definition, with its Go types and its options, to an OpenAPI 3.1 document.
//
//	objects.ServiceDefinition ──► document   paths, operations, answers
//	                                 │
//	JSON schemas of its codecs ──► schemaSet  one component for each type
//
// What it writes down is decided elsewhere: the grammar of paths, the rules of
// bodies and the error JSON are those of httpapi. examples/openapi sends each
// operation of a document to a running program, and so holds the two together.
//
// A document depends on its arguments alone and is the same, byte for byte, for
// every start of a build. The package knows no runtime, no server and no Echo.
package openapi
