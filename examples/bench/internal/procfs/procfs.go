package procfs

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of CPU times in /proc on every Linux of today.
const ticksPerSecond = 100

// sectorBytes is the unit of /proc/diskstats, whatever the disk uses.
const sectorBytes = 512

// Process is a process by its id.
type Process struct{ PID string }

func (p Process) read(file string) string { return read(filepath.Join("/proc", p.PID, file)) }

// CPU is the time the process has spent in user and kernel mode, in seconds.
func (p Process) CPU() float64 { return processCPU(p.read("stat")) }

// WrittenBytes is what the process has caused to be sent to storage.
func (p Process) WrittenBytes() int64 { return field(p.read("io"), "write_bytes:") }

// MemoryKiB is the resident memory of the process, shared pages counted in
// part, and its anonymous memory alone: mapped files are page cache. The
// process is held up while it is added up.
func (p Process) MemoryKiB() (resident, anonymous int64) {
	status := p.read("status")
	if resident = field(p.read("smaps_rollup"), "Pss:"); resident == 0 {
		resident = field(status, "VmRSS:")
	}
	return resident, field(status, "RssAnon:")
}

// Memory is resident memory in KiB, by what is behind it.
type Memory struct{ Anonymous, File int64 }

// Memory is what the process has in memory, cheap to read. File pages are those
// of mapped files and of the program itself.
func (p Process) Memory() Memory {
	status := p.read("status")
	return Memory{Anonymous: field(status, "RssAnon:"), File: field(status, "RssFile:")}
}

// ResidentKiB is the resident memory of the process, cheap to read.
func (p Process) ResidentKiB() int64 { return field(p.read("status"), "VmRSS:") }

// MachineCPU is the time that all processors were busy, in seconds.
func MachineCPU() float64 { return machineCPU(read("/proc/stat")) }

// DiskWrittenBytes is what the whole machine has written to its disks.
func DiskWrittenBytes() int64 { return diskWritten(read("/proc/diskstats"), isDisk) }

// isDisk tells a disk that bytes end on from its partitions, and from devices
// that pass writes on to another device or to memory.
func isDisk(name string) bool {
	for _, virtual := range []string{"loop", "ram", "zram", "dm-", "md", "nbd"} {
		if strings.HasPrefix(name, virtual) {
			return false
		}
	}
	_, err := os.Stat(filepath.Join("/sys/block", name))
	return err == nil
}

func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "" // the process is gone, or this is no Linux
	}
	return string(b)
}

// processCPU understands /proc/PID/stat. The second column is a name in
// parentheses that may hold anything.
func processCPU(stat string) float64 {
	columns := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(columns) < 13 {
		return 0
	}
	return (number(columns[11]) + number(columns[12])) / ticksPerSecond
}

// machineCPU understands the first line of /proc/stat: everything but idle and
// iowait. Guest time, at the end, is part of user time.
func machineCPU(stat string) float64 {
	first, _, _ := strings.Cut(stat, "\n")
	var ticks float64
	for i, column := range strings.Fields(first) {
		const idle, iowait, guest = 4, 5, 9
		if i == 0 || i == idle || i == iowait || i >= guest {
			continue
		}
		ticks += number(column)
	}
	return ticks / ticksPerSecond
}

func diskWritten(diskstats string, isDisk func(name string) bool) int64 {
	var sectors float64
	for line := range strings.Lines(diskstats) {
		if columns := strings.Fields(line); len(columns) > 9 && isDisk(columns[2]) {
			sectors += number(columns[9])
		}
	}
	return int64(sectors) * sectorBytes
}

// field returns the number behind a key at the start of a line.
func field(text, key string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			if columns := strings.Fields(rest); len(columns) > 0 {
				return int64(number(columns[0]))
			}
		}
	}
	return 0
}

// number is 0 for what is not one.
func number(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return n
}
