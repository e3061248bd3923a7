package objects_test

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// tryObject runs a handler of one object, once for each input, and prints its
// results.
func tryObject[I, O any](handler restate.ObjectHandlerFn[I, O], inputs ...I) {
	c, stop := start(restate.NewObject("Object").Handler("try", restate.NewObjectHandler(handler)))
	defer stop()
	for _, in := range inputs {
		fmt.Println(ingress.Object[I, O](c, "Object", "key", "try").Request(context.Background(), in))
	}
}
