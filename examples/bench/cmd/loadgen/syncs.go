package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// syncEvents are the system calls that make something durable.
const syncEvents = "syscalls:sys_enter_fsync,syscalls:sys_enter_fdatasync," +
	"syscalls:sys_enter_msync,syscalls:sys_enter_sync_file_range"

// countSyncs counts the system calls of the target that make something durable
// for the time d, with perf. The result waits for the count; known is false when
// perf is not there or may not look.
func countSyncs(pids []string, d time.Duration) (count func() (n float64, known bool)) {
	none := func() (float64, bool) { return 0, false }
	if len(pids) == 0 {
		return none
	}
	cmd := exec.Command("perf", "stat", "-x", ",", "-e", syncEvents,
		"-p", strings.Join(pids, ","), "sleep", fmt.Sprintf("%.2f", d.Seconds()))
	var out bytes.Buffer
	cmd.Stderr = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if cmd.Start() != nil {
		return none
	}
	return func() (float64, bool) {
		_ = cmd.Wait() // without a count the output says so
		return sumEvents(out.String())
	}
}

// sumEvents adds the counts in the output of perf stat -x ,.
func sumEvents(out string) (sum float64, known bool) {
	for line := range strings.Lines(out) {
		columns := strings.Split(line, ",")
		if len(columns) < 4 || !strings.HasPrefix(columns[2], "syscalls:") {
			continue
		}
		if n, err := strconv.ParseFloat(columns[0], 64); err == nil {
			sum, known = sum+n, true
		}
	}
	return sum, known
}
