package procfs

import "testing"

func TestTheNameOfAProcessMayHoldAnything(t *testing.T) {
	t.Parallel()
	stat := "42 (a) 1 (b)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 8 0 1 2 3"
	if got := processCPU(stat); got != 3 {
		t.Errorf("%v seconds, want 3", got)
	}
	if got := processCPU(""); got != 0 {
		t.Errorf("%v seconds of a process that is gone", got)
	}
}

func TestAMachineIsNotBusyWhileItWaitsForADisk(t *testing.T) {
	t.Parallel()
	stat := "cpu  100 20 30 9999 8888 1 2 3 500 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
	if got := machineCPU(stat); got != 1.56 {
		t.Errorf("%v seconds, want 1.56", got)
	}
}

func TestPartitionsAreNotCountedBesideTheirDisk(t *testing.T) {
	t.Parallel()
	stats := "   8 0 sda 1 2 3 4 5 6 100 8 9 10 11\n   8 1 sda1 1 2 3 4 5 6 60 8 9 10 11\n 8 16 sdb 1 2 3 4 5 6 7 8\n"
	isDisk := func(name string) bool { return name != "sda1" }
	if got := diskWritten(stats, isDisk); got != 107*512 {
		t.Errorf("%d bytes, want %d", got, 107*512)
	}
}

func TestAFieldIsFoundByTheStartOfItsLine(t *testing.T) {
	t.Parallel()
	text := "read_bytes: 1\ncancelled_write_bytes: 2\nwrite_bytes: 3 kB\nempty:\n"
	for key, want := range map[string]int64{"write_bytes:": 3, "read_bytes:": 1, "empty:": 0, "none:": 0} {
		if got := field(text, key); got != want {
			t.Errorf("%s %d, want %d", key, got, want)
		}
	}
}

func TestThisProcessUsesTheProcessor(t *testing.T) {
	t.Parallel()
	for range 1_000_000_000 {
		if SelfCPU() > 0 {
			return
		}
	}
	t.Error("no time was used")
}
