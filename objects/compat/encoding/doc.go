// Package encoding stands for github.com/dormouse-run/dormouse/objects/encoding,
// name by name. See there.
package encoding
