// Package procfs reads what a measurement needs to know about processes, the
// machine and its disks from the /proc of Linux. Elsewhere every figure is 0.
//
// Reading is one function, understanding the text another one, so that the
// latter can be tested.
package procfs
