package faults

import (
	"os"
	"os/exec"
	"time"
)

// Child returns a process for faults to happen to: it runs one test of the running test
// binary, and gives up after limit (0 is none). Its environment is ours, and env, each
// NAME=value. On Linux it is killed when this process ends, however that ends. It is
// not started yet.
func Child(test string, limit time.Duration, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.timeout="+limit.String())
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = diesWithUs()
	return cmd
}
