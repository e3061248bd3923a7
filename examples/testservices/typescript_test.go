package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// envModules is a directory of installed packages for the TypeScript client, for
// where node_modules cannot be written into the tree.
const envModules = "DORMOUSE_NODE_MODULES"

// sourcesOfTypeScript is where the tests of the client in its own language are.
const sourcesOfTypeScript = "../clients/ts"

func TestTheTypeScriptClientOfRestateWorksUnchanged(t *testing.T) {
	t.Parallel()
	home := typeScriptHome(t)
	for name, flags := range map[string][]string{"default": nil, "suspend": {"-inactivity", "0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, at := startControl(t, flags...)
			shopIngress, shopAdmin := openShop(t, "of-the-shop")
			cmd := exec.CommandContext(t.Context(), "node", "--test", "--test-concurrency=1", "--test-reporter=tap")
			cmd.Dir = home
			cmd.Env = append(os.Environ(), "INGRESS_URL="+c.ingress, "ADMIN_URL="+c.admin, "CONTROL_URL="+at,
				"SHOP_INGRESS_URL="+shopIngress, "SHOP_ADMIN_URL="+shopAdmin, "SHOP_TOKEN=of-the-shop")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if n := counted(out, "pass"); n < 90 || counted(out, "skipped") != 0 {
				t.Errorf("%d tests have passed; some may be missing or skipped:\n%s", n, out)
			}
			if c.kills == 0 || c.refused.Load() == 0 {
				t.Errorf("the tests killed %d times and were refused %d times: they should do both", c.kills, c.refused.Load())
			}
		})
	}
}

// counted reads a number of the summary that node prints.
func counted(out []byte, what string) int {
	found := regexp.MustCompile(`(?m)^# ` + what + ` (\d+)$`).FindSubmatch(out)
	if found == nil {
		return -1
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n
}

// typeScriptHome returns a directory with the tests and the packages of the
// client, or skips the test where there is no Node or no package.
func typeScriptHome(t *testing.T) string {
	t.Helper()
	if version := nodeMajor(); version < 20 {
		t.Skip("the TypeScript client needs node 20 or later in the PATH")
	}
	modules := os.Getenv(envModules)
	if modules == "" {
		modules = filepath.Join(sourcesOfTypeScript, "node_modules")
	}
	modules, err := filepath.Abs(modules)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range packagesOfTypeScript(t) {
		if _, err := os.Stat(filepath.Join(modules, name, "package.json")); err != nil {
			t.Skipf("the package %s of the TypeScript client is not installed: run npm ci in examples/clients/ts, or let %s name its directory", name, envModules)
		}
	}
	// The files are read here, so that the test cache knows them.
	home := t.TempDir()
	files, err := filepath.Glob(filepath.Join(sourcesOfTypeScript, "*.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, filepath.Join(sourcesOfTypeScript, "package.json")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(modules, filepath.Join(home, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return home
}

// packagesOfTypeScript are the packages that the tests in TypeScript import.
func packagesOfTypeScript(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sourcesOfTypeScript, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &read); err != nil || len(read.Dependencies) == 0 {
		t.Fatalf("package.json has no dependencies: %v", err)
	}
	return slices.Sorted(maps.Keys(read.Dependencies))
}

// nodeMajor is the major version of the Node in the PATH, 0 without one.
func nodeMajor() int {
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		return 0
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	n, _ := strconv.Atoi(major)
	return n
}

// TestTheLockOfTheTypeScriptClientNamesNoRegistry keeps npm ci working with any
// registry, and the packages the same everywhere.
func TestTheLockOfTheTypeScriptClientNamesNoRegistry(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile(filepath.Join(sourcesOfTypeScript, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	if err := json.Unmarshal(lock, &read); err != nil {
		t.Fatal(err)
	}
	delete(read.Packages, "") // the client itself
	for name, p := range read.Packages {
		if p.Resolved != "" || strings.Contains(p.Version, ":") {
			t.Errorf("%s names a registry: make package-lock.json again with npm install, which reads .npmrc", name)
		}
		if p.Version == "" || p.Integrity == "" {
			t.Errorf("%s has the version %q and the checksum %q", name, p.Version, p.Integrity)
		}
	}
	if len(read.Packages) == 0 {
		t.Error("package-lock.json has no packages")
	}
}
