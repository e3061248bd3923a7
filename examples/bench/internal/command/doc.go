// Package command has what all commands of this module do with their command
// line, their errors and the signals that end them.
package command
