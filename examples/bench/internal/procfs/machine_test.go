package procfs

import (
	"strings"
	"testing"
)

func TestTheFileSystemIsThatOfTheLongestMountPoint(t *testing.T) {
	t.Parallel()
	mounts := "1 0 8:1 / / rw - ext4 /dev/root rw\n2 1 0:20 / /data rw shared:1 - xfs /dev/sdb rw\n" +
		"3 1 0:21 / /data/hot rw - tmpfs tmpfs rw\n4 1 0:22 / /data/hot rw - btrfs /dev/sdc rw\nbroken\n"
	for path, want := range map[string]string{
		"/home/x": "ext4 (/dev/root)", "/data": "xfs (/dev/sdb)", "/data/x": "xfs (/dev/sdb)", "/database": "ext4 (/dev/root)",
		"/data/hot/x": "btrfs (/dev/sdc)",
	} {
		if got := fileSystem(mounts, path); got != want {
			t.Errorf("%s is on %q, want %q", path, got, want)
		}
	}
}

func TestAMachineIsDescribedInASentence(t *testing.T) {
	t.Parallel()
	if got := cpuModel("processor\t: 0\nmodel name\t: Some CPU: fast\nmodel name\t: other\n"); got != "Some CPU: fast" {
		t.Errorf("model %q", got)
	}
	text := Machine{Cores: 2, MemoryKiB: 24 << 20, CPU: "Some CPU", Go: "go1.26"}.String()
	for _, part := range []string{"2 cores of Some CPU", "24.0 GiB", "data on unknown", "go1.26"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	if m := Describe("."); m.Cores == 0 || m.Go == "" {
		t.Errorf("this machine: %+v", m)
	}
}
