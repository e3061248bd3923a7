package main

import (
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/procfs"
)

// target is what is known of the other side beside its URL.
type target struct {
	// processes by name; several of them may share one.
	processes map[string][]procfs.Process
	// dirs are its data directories.
	dirs []string
}

func newTarget(pids, dirs string) target {
	t := target{processes: map[string][]procfs.Process{}}
	if dirs != "" {
		t.dirs = strings.Split(dirs, ",")
	}
	for entry := range strings.SplitSeq(pids, ",") {
		name, list, ok := strings.Cut(entry, "=")
		if !ok {
			continue
		}
		for pid := range strings.SplitSeq(list, "+") {
			t.processes[name] = append(t.processes[name], procfs.Process{PID: pid})
		}
	}
	return t
}

// pids lists every process.
func (t *target) pids() []string {
	var list []string
	for _, processes := range t.processes {
		for _, p := range processes {
			list = append(list, p.PID)
		}
	}
	return list
}

// snapshot is a reading of everything that grows with the work done. Times are
// in seconds.
type snapshot struct {
	at      time.Time
	cpu     map[string]float64
	written map[string]int64
	self    float64
	machine float64
	disk    int64
}

func (t *target) snapshot() snapshot {
	s := snapshot{cpu: map[string]float64{}, written: map[string]int64{}}
	for name, processes := range t.processes {
		for _, p := range processes {
			s.cpu[name] += p.CPU()
			s.written[name] += p.WrittenBytes()
		}
	}
	s.self = procfs.SelfCPU()
	s.machine = procfs.MachineCPU()
	s.disk = procfs.DiskWrittenBytes()
	s.at = time.Now()
	return s
}

// cpuPerThousand is the processor time of each process between two snapshots,
// in seconds per 1,000 operations.
func cpuPerThousand(a, b snapshot, ops int64) map[string]float64 {
	m := map[string]float64{}
	for name := range b.cpu {
		m[name] = round(per(b.cpu[name]-a.cpu[name], ops)*1000, 4)
	}
	return m
}

// memoryMiB is the resident memory of each process, and under name_anon its
// anonymous memory.
func (t *target) memoryMiB() map[string]float64 {
	m := map[string]float64{}
	for name, processes := range t.processes {
		for _, p := range processes {
			resident, anonymous := p.MemoryKiB()
			m[name] = round(m[name]+float64(resident)/1024, 1)
			m[name+"_anon"] = round(m[name+"_anon"]+float64(anonymous)/1024, 1)
		}
	}
	return m
}

// usedBytes is the space that the data directories take.
func (t *target) usedBytes() int64 {
	if len(t.dirs) == 0 {
		return 0
	}
	// du also fails when a file disappears meanwhile, and has a total then.
	out, _ := exec.Command("du", append([]string{"-s", "-B1", "-c"}, t.dirs...)...).Output()
	return duTotal(string(out))
}

// duTotal takes the total from the last line of du.
func duTotal(out string) int64 {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	total, _, _ := strings.Cut(lines[len(lines)-1], "\t")
	n, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
