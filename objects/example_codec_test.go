package objects_test

import (
	"context"
	"fmt"
	"strings"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A handler of bytes, as they are. Who calls it says so too.
func ExampleWithCodec() {
	reverse := func(ctx restate.Context, in []byte) ([]byte, error) {
		out := make([]byte, 0, len(in))
		for i := range in {
			out = append(out, in[len(in)-1-i])
		}
		return out, nil
	}
	files := restate.NewService("Files").Handler("reverse", restate.NewServiceHandler(reverse, restate.WithBinary))
	try(func(ctx restate.Context, _ string) (string, error) {
		out, err := restate.Service[[]byte](ctx, "Files", "reverse", restate.WithBinary).Request([]byte("esuom"))
		return string(out), err
	}, files)
	// Output: mouse <nil>
}

// lines is a codec of your own: a list of texts, one on each line.
type lines struct{}

func (lines) Marshal(v any) ([]byte, error) { return []byte(strings.Join(v.([]string), "\n")), nil }

func (lines) Unmarshal(data []byte, v any) error {
	*v.(*[]string) = strings.Split(string(data), "\n")
	return nil
}

// A codec for each direction.
func ExampleWithInputCodec() {
	count := restate.NewService("Count").Handler("lines", restate.NewServiceHandler(
		func(ctx restate.Context, in []string) (int, error) { return len(in), nil },
		restate.WithInputCodec(lines{}), restate.WithOutputCodec(encoding.JSONCodec)))
	c, stop := start(count)
	defer stop()
	fmt.Println(ingress.Service[[]string, int](c, "Count", "lines").
		Request(context.Background(), []string{"a", "b", "c"}, restate.WithInputCodec(lines{})))
	// Output: 3 <nil>
}

// State in a codec of your own. Whoever reads it names the codec as well.
func ExampleWithCodec_state() {
	tryObject(func(ctx restate.ObjectContext, item string) ([]string, error) {
		list, err := restate.Get[[]string](ctx, "list", restate.WithCodec(lines{}))
		if err != nil {
			return nil, err
		}
		list = append(list, item)
		restate.Set(ctx, "list", list, restate.WithCodec(lines{}))
		return list, nil
	}, "milk", "bread")
	// Output:
	// [milk] <nil>
	// [milk bread] <nil>
}
