package restate_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// migrated is what the program prints.
const migrated = `fill: 5
names: [left]
add: 3
nobody has a count: true
buy: 2 pears, 3 left
too much: 409 sorry: only 3 pears left
raw: [1 2]
names: client
race: 3 done, at last, value
answer: 1, stop, true
cancel: 409
retry: 3
by idempotency key: 4
by id: 4
later: later
nobody is not found: true
sent: true
sent twice: Accepted PreviouslyAccepted true
delivery: pears signed by eve
once: echo
`

// What the README tells to do is done here, line by line.
func TestTheLinesOfTheREADMEMigrateAProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the whole of Dormouse: not with -short")
	}
	world := t.TempDir()
	if err := os.Symlink(root(t), filepath.Join(world, "dormouse")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	program := filepath.Join(world, "program")
	if err := os.Mkdir(program, 0o777); err != nil {
		t.Fatal(err)
	}
	lines, commands := recipe(t)
	copyProgram(t, program)
	write(t, "module example.com/program\n\ngo 1.26.0\n\nrequire "+upstream+" "+upstreamVersion+"\n\n"+lines, program, "go.mod")
	write(t, read(t, "go.sum"), program, "go.sum") // spares the checksum database
	for command := range strings.Lines(commands) {
		mustGo(t, program, strings.Fields(command)[1:]...)
	}
	mustGo(t, program, "build", "-o", "migrated", ".")
	if got := runProgram(t, program); got != migrated {
		t.Errorf("the program printed\n%s\nwant\n%s", got, migrated)
	}
}

// recipe returns the two blocks of the README: lines of go.mod, and commands.
func recipe(t *testing.T) (lines, commands string) {
	t.Helper()
	_, section, found := strings.Cut(read(t, root(t), "README.md"), "\n## Coming from Restate\n")
	blocks := strings.Split(section, "\n```\n")
	if !found || len(blocks) < 4 {
		t.Fatal("README.md has no section Coming from Restate with two blocks")
	}
	return blocks[1] + "\n", strings.TrimPrefix(blocks[2], "```\n")
}

// runProgram runs the program on an empty data directory and returns what it
// prints.
func runProgram(t *testing.T, dir string) string {
	t.Helper()
	address := freeAddress(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "migrated"), "-ingress", "http://"+address)
	cmd.Env = append(os.Environ(), "DORMOUSE_DATA="+t.TempDir(), "DORMOUSE_INGRESS="+address, "DORMOUSE_ADMIN=127.0.0.1:0")
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("the program: %v\n%s", err, log.String())
	}
	return string(out)
}

// freeAddress returns an address that was free a moment ago: a program of the
// original has no way to say which one it got.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return fmt.Sprint(l.Addr())
}
