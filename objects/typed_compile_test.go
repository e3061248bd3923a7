package objects_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// callerSource is a program around one statement.
const callerSource = `package caller

import (
	"context"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

type Counter struct{}

func (*Counter) Add(ctx restate.ObjectContext, n int) (int, error)    { return 0, nil }
func (*Counter) Total(ctx restate.ObjectSharedContext) (int, error)   { return 0, nil }
func (*Counter) Move(ctx restate.ObjectContext, to string) error      { return nil }
func (*Counter) Reset(ctx restate.ObjectContext) error                { return nil }
func (*Counter) Note(ctx restate.ObjectContext, what any) error       { return nil }
func (*Counter) Pure(n int) (int, error)                              { return 0, nil }

type Other struct{}

func (Other) Add(ctx restate.ObjectContext, n int) (int, error) { return 0, nil }

var cell restate.Cell[int]

func use(...any) {}

func calls(ctx restate.ObjectContext, shared restate.ObjectSharedContext, c *ingress.Client, on restate.Ref[*Counter]) {
	var plain context.Context = ctx
	use(plain, shared, c, on)
	STATEMENT
}
`

// compilation checks callers against the packages as the compiler has built them.
type compilation struct {
	set      *token.FileSet
	importer types.Importer
}

func newCompilation(t *testing.T) compilation {
	t.Helper()
	list, err := exec.Command("go", "list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}", ".", "./ingress").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(list)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	set := token.NewFileSet()
	return compilation{set, importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
}

// check returns the first error of a caller with this statement.
func (c compilation) check(t *testing.T, statement string) error {
	t.Helper()
	file, err := parser.ParseFile(c.set, "caller.go", strings.Replace(callerSource, "STATEMENT", statement, 1), 0)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	_, err = (&types.Config{Importer: c.importer}).Check("caller", c.set, []*ast.File{file}, nil)
	return err
}

// TestWhatFitsCompiles without naming a type.
func TestWhatFitsCompiles(t *testing.T) {
	t.Parallel()
	c := newCompilation(t)
	for _, statement := range []string{
		`n, err := restate.Call(ctx, on, (*Counter).Add, 5); use(n+1, err.Code())`,
		`n, err := restate.Call0(ctx, on, (*Counter).Total); use(n+1, err.Code())`,
		`err := restate.CallVoid(ctx, on, (*Counter).Move, "there", restate.WithIdempotencyKey("k"), restate.WithBinary); use(err.Code())`,
		`err := restate.CallVoid0(ctx, on, (*Counter).Reset); use(err.Code())`,
		`var what any = 1; _ = restate.CallVoid(ctx, on, (*Counter).Note, what)`,
		`_ = restate.CallVoid(ctx, on, (*Counter).Note, any("text"))`,
		`n, err := restate.CallFuture(ctx, on, (*Counter).Add, 5).Response(); use(n+1, err.Code())`,
		`use(restate.CallFuture0(ctx, on, (*Counter).Total), restate.CallFutureVoid(ctx, on, (*Counter).Move, ""), restate.CallFutureVoid0(ctx, on, (*Counter).Reset))`,
		`use(restate.Send(ctx, on, (*Counter).Add, 5, restate.WithDelay(1)).GetInvocationId(), restate.Send0(ctx, on, (*Counter).Total))`,
		`use(restate.SendVoid(ctx, on, (*Counter).Move, ""), restate.SendVoid0(ctx, on, (*Counter).Reset))`,
		`n, err := restate.Call(shared, restate.On[Other]("k"), Other.Add, 5); use(n, err)`,
		`n, err := ingress.Call(plain, c, on, (*Counter).Add, 5, restate.WithIdempotencyKey("k")); use(n+1, err)`,
		`s, err := ingress.Send(plain, c, on, (*Counter).Add, 5, restate.WithDelay(1)); n, err := s.Attach(plain); use(n+1, err)`,
		`n, err := ingress.Call0(plain, c, on, (*Counter).Total); use(n+1, err)`,
		`use(ingress.CallVoid(plain, c, on, (*Counter).Move, ""), ingress.CallVoid0(plain, c, on, (*Counter).Reset))`,
		`v, err := restate.All(ctx, restate.ResultOf(restate.CallFuture(ctx, on, (*Counter).Add, 5)), restate.DoneAs(restate.After(ctx, 1), 7)); use(v[0]+1, err)`,
		`v, i, err := restate.Race[int](ctx, restate.Awakeable[int](ctx), restate.Signal[int](ctx, "s")); use(v+i, err)`,
		`v, i, err := restate.Any[int](ctx, restate.RunAsync(ctx, func(restate.RunContext) (int, error) { return 1, nil })); use(v+i, err)`,
		`cell.Set(ctx, 1); v, found, err := cell.Get(shared); use(v+1, !found, err); cell.Clear(ctx)`,
		`use(restate.StateCell[int]("n", restate.WithBinary))`,
	} {
		if err := c.check(t, statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// TestWhatDoesNotFitDoesNotCompile: the wrong handler, input or output, key and
// handler swapped, the wrong shape, a write from a shared handler.
func TestWhatDoesNotFitDoesNotCompile(t *testing.T) {
	t.Parallel()
	c := newCompilation(t)
	for statement, want := range map[string]string{
		`restate.Call(ctx, on, Other.Add, 5)`:                                        "Other",
		`restate.Call(ctx, on, (*Counter).Add, "5")`:                                 "string",
		`restate.Call(ctx, on, (*Counter).Add, 5.5)`:                                 "truncated",
		`var s string; s, _ = restate.Call(ctx, on, (*Counter).Add, 5); use(s)`:      "string",
		`restate.Call(ctx, on, (*Counter).Total)`:                                    "not enough arguments",
		`restate.Call0(ctx, on, (*Counter).Add)`:                                     "does not match",
		`restate.CallVoid(ctx, on, (*Counter).Add, 5)`:                               "does not match",
		`restate.Call(ctx, on, (*Counter).Move, "there")`:                            "does not match",
		`restate.Call(ctx, on, (*Counter).Pure, 5)`:                                  "does not match",
		`restate.Call(ctx, on, (*Counter).Missing, 5)`:                               "Missing",
		`restate.Call(ctx, on, "Add", 5)`:                                            "cannot infer",
		`restate.Call(ctx, (*Counter).Add, on, 5)`:                                   "does not match",
		`restate.Call(ctx, restate.On[Counter]("k"), (*Counter).Add, 5)`:             "does not match",
		`restate.On[*Counter](5)`:                                                    "string",
		`restate.Send(ctx, on, (*Counter).Add, "5")`:                                 "string",
		`restate.Send(ctx, on, Other.Add, 5)`:                                        "Other",
		`restate.SendVoid(ctx, on, (*Counter).Move, 5)`:                              "string",
		`restate.Call(ctx, on, (*Counter).Add, 5, restate.WithDelay(1))`:             "RequestOption",
		`ingress.Call(plain, c, on, (*Counter).Add, "5")`:                            "string",
		`ingress.Call(plain, c, on, Other.Add, 5)`:                                   "Other",
		`restate.Call(plain, on, (*Counter).Add, 5)`:                                 "Context",
		`var n int; n, _ = ingress.Call0(plain, c, on, (*Counter).Reset); use(n)`:    "does not match",
		`restate.All(ctx, restate.CallFuture(ctx, on, (*Counter).Add, 5))`:           "TypedFuture",
		`restate.Race[int](ctx, restate.Awakeable[int](ctx), restate.After(ctx, 1))`: "Result",
		`restate.Race[int](ctx, restate.Awakeable[string](ctx))`:                     "Result",
		`cell.Set(shared, 1)`:                                                        "ObjectContext",
		`cell.Clear(shared)`:                                                         "ObjectContext",
		`cell.Set(ctx, "1")`:                                                         "string",
		`restate.StateCell[int]("n", restate.WithName("n"))`:                         "GetOption",
	} {
		if err := c.check(t, statement); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", statement, err, want)
		}
	}
}
