package generate_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// printed is what the program of testdata prints.
const printed = `add: pears 5
buy: pears [3 3]
sell back: 501 method SellBack not implemented
deliver: delivered pears by eve
`

func TestGeneratedCodeRunsOnDormouse(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the whole of Dormouse: not with -short")
	}
	dir := t.TempDir()
	program(t, dir)
	compat := compatibility(t)
	module(t, dir, map[string]string{sdkModule: compat, "github.com/dormouse-run/dormouse": filepath.Join(compat, "../..")})
	address := freeAddress(t)
	command(t, dir, nil, "go", "build", "-mod=mod", "-o", "program", ".")
	command(t, dir, nil, "go", "build", "-o", "plugin", sdkModule+"/x/protoc-gen-go-restate") // as the README says
	env := []string{"DORMOUSE_DATA=" + t.TempDir(), "DORMOUSE_INGRESS=" + address, "DORMOUSE_ADMIN=127.0.0.1:0"}
	if got := command(t, dir, env, filepath.Join(dir, "program"), "-ingress", "http://"+address); got != printed {
		t.Errorf("the program printed\n%s\nwant\n%s", got, printed)
	}
}

// The same text is one for the original SDK.
func TestGeneratedCodeCompilesWithTheOriginal(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fetches and compiles the original SDK: not with -short")
	}
	dir := t.TempDir()
	program(t, dir)
	module(t, dir, nil)
	for _, args := range [][]string{{"mod", "tidy"}, {"mod", "download"}} {
		if _, err := run(t, dir, nil, "go", args...); err != nil {
			t.Skipf("%s cannot be fetched: %v", sdkModule, err)
		}
	}
	command(t, dir, nil, "go", "vet", "./...")
}

// program writes the program of testdata with what is generated for it.
func program(t *testing.T, dir string) {
	t.Helper()
	r := shop(t).request(t, "shop.proto", "paths=source_relative")
	services, err := generated(t, r)
	if err != nil {
		t.Fatal(err)
	}
	write(t, services, dir, "shop/shop_restate.pb.go")
	write(t, messages(t, r), dir, "shop/shop.pb.go")
	write(t, read(t, "testdata/program/main.go.txt"), dir, "main.go")
}

const sdkModule = "github.com/restatedev/sdk-go"

// compatibility is the directory of the module that stands for the SDK.
func compatibility(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// module makes dir a module that requires the SDK and this module, from here,
// with replacements.
func module(t *testing.T, dir string, replacements map[string]string) {
	t.Helper()
	compat := compatibility(t)
	text := "module example.com/program\n\ngo 1.26.0\n\nrequire " + sdkModule + " v1.2.0\n\nrequire " + sdkModule + "/x/protoc-gen-go-restate v0.1.0\n\n" +
		"replace " + sdkModule + "/x/protoc-gen-go-restate => " + filepath.Join(compat, "x/protoc-gen-go-restate") + "\n"
	for path, place := range replacements {
		text += "\nreplace " + path + " => " + place + "\n"
	}
	write(t, text, dir, "go.mod")
	// The sums spare the checksum database; the benchmark requires the original.
	write(t, read(t, compat, "go.sum")+read(t, "../../go.sum")+read(t, compat, "../../examples/bench/go.sum"), dir, "go.sum")
}

// command runs a program in dir and returns what it prints.
func command(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := run(t, dir, env, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func run(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stderr = dir, &errs
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "PWD="+dir), env...)
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %v: %w\n%s", name, args, err, errs.String())
	}
	return string(out), err
}

// freeAddress returns an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
