// Package ingress stands for github.com/dormouse-run/dormouse/objects/ingress,
// name by name. See there.
package ingress
