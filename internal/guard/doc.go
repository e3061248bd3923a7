// Package guard holds what a port needs against strangers and crowds, as far as
// that is no question of routes: bearer tokens, certificates, and a bound on open
// connections that the limit of file descriptors allows for.
//
//	Tokens        who may ask; hashes only, compared in constant time
//	Certificate   a pair of PEM files as a TLS configuration
//	Connections   the one that has done nothing for longest makes room
//	RoomFor       how many that can be
//
// Tokens and certificates come from files that are read again when they change.
// They are looked at when they are used, so nothing runs in the background; a
// file that cannot be used is logged once, and what it said before stays.
//
// The package decides and counts. Which requests are asked for a token, and what
// a refusal looks like, is for httpapi; it knows no route, no runtime and no Echo.
package guard
