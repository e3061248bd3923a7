// Package server stands for the server type of
// github.com/dormouse-run/dormouse/httpapi. Its Start opens the store, the
// ingress and the admin port: there is no server to register with.
package server
