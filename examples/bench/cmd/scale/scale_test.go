package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFiguresAreSummedOverTheirLabels(t *testing.T) {
	t.Parallel()
	f := readFigures("# HELP a what it is\na{service=\"x y\"} 1\na{service=\"z\"} 2.5\n\nb 1e+06\nc NaN x\n")
	if f["a"] != 3.5 || f["b"] != 1e6 || len(f) != 2 {
		t.Errorf("%v", f)
	}
}

func TestTheAwakeableFollowsFromTheAnswerToASend(t *testing.T) {
	t.Parallel()
	id, err := accepted([]byte(`{"invocationId":"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8","status":"Accepted"}`))
	path, _ := resolve(id)
	if want := "/restate/awakeables/sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ/resolve"; err != nil || path != want {
		t.Errorf("%s, %v", path, err)
	}
	for _, answer := range []string{"", `{"message":"no"}`, `{"invocationId":"inv_1`, `{"invocationId":"x"}`} {
		if id, err := accepted([]byte(answer)); err == nil {
			t.Errorf("%q has the id %v", answer, id)
		}
	}
}

func TestBothEndsOfAQueueAreApart(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{4: 1, 100: 25, 1_000_000: 50_000} {
		if got := (&config{n: n}).window(); got != want {
			t.Errorf("%d of %d are compared, want %d", got, n, want)
		}
	}
	l := line{"first_cpu_ms_per_op": 0.2, "last_cpu_ms_per_op": 0.3}
	l.compare()
	if l["last_of_first_cpu"] != 1.5 {
		t.Errorf("%v", l)
	}
}

func TestOnlyAllocatedBlocksCount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := allocated(dir)
	if err := os.WriteFile(filepath.Join(dir, "full"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "hole"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	if got := allocated(dir) - empty; got < 1<<20 || got > 2<<20 {
		t.Errorf("a mebibyte and a hole take %d bytes", got)
	}
}

func TestACommandLineThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-n", "3"}, {"-c", "-1"}, {"-rest", "soon"}, {"-parts", "everything"}, {"-parts", "waits,"}, {"waits"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	c, err := parse([]string{"-parts", "waits, queue"})
	if err != nil || !slices.Equal(c.parts, []string{"waits", "queue"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNothingIsWipedForAProgramThatIsNotThere(t *testing.T) {
	t.Parallel()
	c := &config{bin: "no/such/program", data: t.TempDir(), parts: []string{"queue"}, n: 4, clients: 1}
	kept := filepath.Join(c.data, "queue")
	if err := os.Mkdir(kept, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.run(t.Context()); err == nil || !strings.Contains(err.Error(), "no/such/program") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
