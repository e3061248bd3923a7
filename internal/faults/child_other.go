//go:build !linux

package faults

import "syscall"

// diesWithUs cannot be had here: a child outlives a parent that is killed.
func diesWithUs() *syscall.SysProcAttr { return nil }
