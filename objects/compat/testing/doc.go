// Package testing stands for github.com/dormouse-run/dormouse/httpapi/dormousetest
// under the names of the test environment of Restate's Go SDK. It starts no
// container: the runtime runs inside the test, on real ports and in real time.
//
// Package dormousetest has more, for example crashes and time that passes by
// itself.
package testing
