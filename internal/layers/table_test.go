package layers

import "strings"

const modulePath = "github.com/dormouse-run/dormouse"

// layer is a row of the house. Packages of one layer do not know each other.
type layer struct {
	name     string
	packages []string
}

// house lists the layers from the bottom. A package may import packages of
// layers that stand before its own. A name that ends in /... covers every
// package below it, each as a sibling of the others.
func house() []layer {
	return []layer{
		{"0", []string{"internal/ident", "internal/guard", "internal/faults"}},
		{"0b", []string{"internal/journal"}},
		{"1", []string{"internal/machine", "internal/replay"}},
		{"1b", []string{"objects/encoding", "objects/logging"}},
		{"1c", []string{"internal/stream"}},
		{"2", []string{"objects", "persistence"}},
		{"2b", []string{"objects/ingress", "persistence/storetest", "internal/query", "internal/openapi", "internal/audit"}},
		{"2c", []string{"examples/testservices/services"}},
		{"3", []string{"actors"}},
		{"4", []string{"httpapi"}},
		{"4b", []string{"examples/internal/exampletest"}},
		{"5", []string{"examples/..."}},
		{"6", []string{"cmd/dormouse", "internal/layers", "internal/nested", "internal/sim", "httpapi/dormousetest"}},
	}
}

// layerOf returns the position of a package, named relative to the module, from
// the bottom, or -1 when the house does not list it.
func layerOf(pkg string) int {
	for i, l := range house() {
		for _, name := range l.packages {
			prefix, below := strings.CutSuffix(name, "...")
			if name == pkg || below && strings.HasPrefix(pkg, prefix) {
				return i
			}
		}
	}
	return -1
}

// exclusive says which one package may import a library.
type exclusive struct{ prefix, pkg string }

func exclusives() []exclusive {
	return []exclusive{
		{"github.com/labstack/", "httpapi"},
		{"github.com/dgraph-io/", "persistence"},
		{"github.com/asynkron/protoactor-go", "actors"},
	}
}

// pure lists the packages whose result depends on their arguments alone.
func pure() []string { return []string{"internal/machine", "internal/replay"} }

// impure lists what a pure package must not import, with everything below.
func impure() []string {
	return []string{"time", "context", "io", "os", "sync", "log", "net", "math/rand", "crypto/rand", "runtime", "unsafe"}
}

// Limits of the style guide. A file of 500 lines and a function of 60 are
// already long; these are refused.
const (
	maxFileLines     = 700
	maxFunctionLines = 80
)

// The one file of package actors that may start a goroutine.
const (
	actorsPackage = "actors"
	schedulerFile = "scheduler.go"
)
