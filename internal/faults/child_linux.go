package faults

import "syscall"

// diesWithUs makes a child end when its parent does.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
