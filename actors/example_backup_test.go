package actors_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

// A backup is one moment of a running program. What waited then goes on where it is
// restored; what came later is not there.
func ExampleRuntime_Backup() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, rt := context.Background(), openOn(filepath.Join(dir, "data"), actors.Options{})
	buy := ingress.Object[int, int](rt.Client(), "Shop", "ann", "Buy")
	fmt.Println(buy.Request(ctx, 21))
	var file bytes.Buffer
	info, err := rt.Backup(ctx, &file)
	fmt.Println(info.Boot, err)
	fmt.Println(buy.Request(ctx, 21))
	fmt.Println(rt.Close())

	restored := filepath.Join(dir, "restored")
	_, err = persistence.Restore(ctx, &file, restored, persistence.Options{})
	fmt.Println(err)
	rt = openOn(restored, actors.Options{})
	fmt.Println(ingress.Object[int, int](rt.Client(), "Shop", "ann", "Buy").Request(ctx, 100))
	fmt.Println(rt.Close())
	// Output:
	// 21 <nil>
	// 1 <nil>
	// 42 <nil>
	// <nil>
	// <nil>
	// 121 <nil>
	// <nil>
}
