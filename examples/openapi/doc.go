// Package openapi checks the OpenAPI documents that the admin port makes of
// services. A library that knows OpenAPI 3.1 reads each document and holds it
// against the schema of the standard; then the request of every operation is
// sent to a running program, and request and answer are held against the
// document.
//
// It is a module of its own, because that library is large and nothing but this
// test needs it.
package openapi
