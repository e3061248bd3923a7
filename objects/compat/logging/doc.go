// Package logging stands for github.com/dormouse-run/dormouse/objects/logging,
// name by name. See there.
package logging
