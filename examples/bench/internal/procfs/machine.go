package procfs

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Machine is what figures depend on. What is not known is empty.
type Machine struct {
	// CPU is the model; Cores are those that this process may use.
	CPU   string
	Cores int
	// MemoryKiB is all memory of the machine.
	MemoryKiB int64
	Kernel    string
	// FileSystem is the type of the file system of a directory, and where it is
	// mounted from.
	FileSystem string
	// Go is the version of this program's.
	Go string
}

// Describe describes the machine, and the file system that dir is on.
func Describe(dir string) Machine {
	m := Machine{
		CPU: cpuModel(read("/proc/cpuinfo")), Cores: runtime.NumCPU(), MemoryKiB: field(read("/proc/meminfo"), "MemTotal:"),
		Kernel: strings.TrimSpace(read("/proc/sys/kernel/osrelease")), Go: runtime.Version(),
	}
	if path, err := filepath.Abs(dir); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		m.FileSystem = fileSystem(read("/proc/self/mountinfo"), path)
	}
	return m
}

// String is one sentence.
func (m Machine) String() string {
	unknown := func(s string) string {
		if s == "" {
			return "unknown"
		}
		return s
	}
	return fmt.Sprintf("%d cores of %s, %.1f GiB of memory, %s %s/%s, data on %s, %s",
		m.Cores, unknown(m.CPU), float64(m.MemoryKiB)/(1<<20), runtime.GOOS, unknown(m.Kernel), runtime.GOARCH, unknown(m.FileSystem), m.Go)
}

// cpuModel understands /proc/cpuinfo.
func cpuModel(info string) string {
	for line := range strings.Lines(info) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return ""
}

// fileSystem understands /proc/self/mountinfo: the last mount of the longest
// mount point above path counts.
func fileSystem(mounts, path string) string {
	found, longest := "", 0
	for line := range strings.Lines(mounts) {
		front, back, ok := strings.Cut(strings.TrimSpace(line), " - ")
		columns, device := strings.Fields(front), strings.Fields(back)
		if !ok || len(columns) < 5 || len(device) < 2 {
			continue
		}
		point := strings.TrimSuffix(columns[4], "/")
		if len(point) < longest || path != point && !strings.HasPrefix(path, point+string(os.PathSeparator)) {
			continue
		}
		found, longest = device[0]+" ("+device[1]+")", len(point)
	}
	return found
}
