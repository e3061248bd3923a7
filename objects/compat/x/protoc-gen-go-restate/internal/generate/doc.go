// Package generate writes Go for the services of .proto files.
//
// It reads what a service is from two options, by their names: their numbers and
// values are those of the go.proto that the request carries, which may be
// another copy than the one in this module.
//
// One file of the package is one part of what is generated: client.go for
// clients inside a handler, ingress.go for clients outside, server.go for the
// interface that handlers implement and its definition. kind.go decides what a
// service and a method are, and refuses what cannot work.
package generate
