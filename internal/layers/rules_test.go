package layers

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// files is a module in memory: path to text.
type files map[string]string

func (f files) complaints(t *testing.T) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range f {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	sources, err := read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return check(sources)
}

const documented = "// Package x is documented.\npackage x\n"

func importing(path string) string { return "package x\n\nimport _ \"" + path + "\"\n" }

func ours(pkg string) string { return importing(modulePath + "/" + pkg) }

func lines(n int) string { return strings.Repeat("\n", n) }

func TestEveryRuleCanBeBroken(t *testing.T) {
	t.Parallel()
	rows := []struct {
		rule, path, text, want string
	}{
		{"unlisted package", "util/doc.go", documented, "util/doc.go:2: package util is in no layer"},
		{"code in the root", "dormouse.go", "package dormouse\n", "dormouse.go:1: package . is in no layer"},
		{"import of a layer above", "objects/a.go", ours("actors"), "objects/a.go:3: objects must not import actors"},
		{"import of a sibling", "internal/machine/a.go", ours("internal/replay"), "must not import internal/replay"},
		{"import of an example", "examples/a/a.go", ours("examples/b"), "examples/a must not import examples/b"},
		{"import of what is not listed", "httpapi/a.go", ours("util"), "httpapi must not import util"},
		{"import of a layer above by a test", "objects/a_test.go", ours("httpapi"), "objects must not import httpapi"},
		{"Echo", "examples/a/a.go", importing("github.com/labstack/echo/v4"), "only package httpapi may import"},
		{"Badger", "actors/a.go", importing("github.com/dgraph-io/badger/v4"), "only package persistence may import"},
		{"Badger below persistence", "persistence/storetest/a.go", importing("github.com/dgraph-io/badger/v4"), "only package persistence"},
		{"Proto.Actor", "httpapi/a.go", importing("github.com/asynkron/protoactor-go/actor"), "only package actors may import"},
		{"clock in the core", "internal/machine/a.go", importing("time"), "internal/machine is pure and must not import time"},
		{"locks in the core", "internal/replay/a.go", importing("sync/atomic"), "must not import sync/atomic"},
		{"randomness in the core", "internal/machine/a.go", importing("math/rand/v2"), "must not import math/rand/v2"},
		{"goroutine", "actors/a.go", "package actors\n\nfunc f() {\n\tfunc() { go f() }()\n}\n", "actors/a.go:4: start goroutines through"},
		{"sleep", "objects/a_test.go", "package objects\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "a_test.go:5: a test must not sleep"},
		{"sleep by another name", "objects/a_test.go", "package objects\n\nimport clock \"time\"\n\nvar nap = clock.Sleep\n", "must not sleep"},
		{"long file", "objects/a.go", "package objects\n" + lines(700), "objects/a.go:1: 701 lines"},
		{"long file of a nested module", "examples/bench/a.go", "package main\n" + lines(700), "701 lines"},
		{"long function", "objects/a.go", "package objects\n\nfunc f() {" + lines(80) + "}\n", "objects/a.go:3: f has 81 lines"},
		{"package without doc.go", "objects/encoding/a.go", documented, "package objects/encoding has no doc.go"},
		{"doc.go without a comment", "objects/encoding/doc.go", "package encoding\n", "package objects/encoding has no doc.go"},
		{"program without a comment", "examples/a/main.go", "package main\n", "package examples/a has no doc.go"},
		{"function without a comment", "objects/a.go", "package objects\n\nfunc F() {}\n", "objects/a.go:3: F has no doc comment"},
		{"method without a comment", "objects/a.go", "package objects\n\n// T is.\ntype T[A any] struct{}\n\nfunc (t *T[A]) M() {}\n", "a.go:6: M has no doc comment"},
		{"type without a comment", "actors/a.go", "package actors\n\ntype T int\n", "a.go:3: T has no doc comment"},
		{"constant without a comment", "actors/a.go", "package actors\n\nconst A, B = 1, 2\n", "a.go:3: B has no doc comment"},
		{"field without a comment", "httpapi/a.go", "package httpapi\n\n// T is.\ntype T struct {\n\ta int\n\n\tF int\n}\n", "a.go:7: F has no doc comment"},
		{"method of an interface without a comment", "objects/a.go", "package objects\n\n// T is.\ntype T interface{ M() }\n", "a.go:4: M has no doc comment"},
	}
	for _, row := range rows {
		module := files{row.path: row.text, "examples/bench/go.mod": ""}
		got := module.complaints(t)
		if !slices.ContainsFunc(got, func(c string) bool { return strings.Contains(c, row.want) }) {
			t.Errorf("%s: complaints %q, want %q", row.rule, got, row.want)
		}
	}
}

func TestAModuleThatKeepsTheRulesIsLeftAlone(t *testing.T) {
	t.Parallel()
	module := files{
		"internal/ident/doc.go":        documented,
		"internal/journal/doc.go":      documented,
		"internal/journal/a.go":        ours("internal/ident"),
		"internal/machine/doc.go":      documented,
		"internal/machine/a.go":        importing("timeout/sort"),
		"internal/machine/a_test.go":   importing("math/rand/v2"),
		"objects/doc.go":               documented,
		"objects/a.go":                 ours("objects/encoding"),
		"objects/sleep.go":             "package objects\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
		"objects/a_test.go":            "package objects_test\n\nimport restate \"" + modulePath + "/httpapi\"\n\nfunc f() { restate.Sleep(1) }\n",
		"objects/long.go":              "package objects\n" + lines(699),
		"objects/function.go":          "package objects\n\nfunc f() {" + lines(79) + "}\n",
		"objects/comments.go":          "package objects\n\n// T is.\ntype T struct{ A, B int }\n\n// U is.\ntype U struct {\n\tA int\n\tB int\n\n\t// C is.\n\tC int\n\tD int\n}\n\n// All are.\nconst (\n\tE = 1\n\tF = 2\n)\n\ntype t struct{ G int }\n\nfunc (t) M() {}\n",
		"internal/ident/a.go":          "package ident\n\nfunc F() {}\n",
		"objects/testdata/x/a.go":      "package broken",
		"examples/t/node_modules/a.go": "package broken",
		"examples/t/client.mjs":        "import",
		"actors/doc.go":                documented,
		"actors/a.go":                  importing("github.com/asynkron/protoactor-go/actor"),
		"actors/scheduler.go":          "package actors\n\nfunc f() { go f() }\n",
		"actors/a_test.go":             "package actors\n\nfunc g() { go f() }\n",
		"examples/a/main.go":           "// Command a is documented.\npackage main\n\nimport _ \"" + modulePath + "/httpapi\"\n",
		"examples/bench/go.mod":        "module nested\n",
		"examples/bench/cmd/x/main.go": importing("github.com/dgraph-io/badger/v4"),
		".ci/tool.go":                  "package tool",
	}
	for _, complaint := range module.complaints(t) {
		t.Error(complaint)
	}
}
