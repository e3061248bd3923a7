// Package wire speaks just enough HTTP/1.1 to load a server from the machine
// that it runs on: net/http would take more processor time than many a target.
//
// It knows no route and no workload.
package wire
