package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

// A counter behind the ingress, on a store that lives in memory.
func ExampleNew() {
	add := func(ctx restate.ObjectContext, n int) (int, error) {
		sum, err := restate.Get[int](ctx, "sum")
		if err != nil {
			return 0, err
		}
		restate.Set(ctx, "sum", sum+n)
		return sum + n, nil
	}
	counter := restate.NewObject("Counter").Handler("add", restate.NewObjectHandler(add))

	rt, err := actors.Open(context.Background(), actors.Options{Services: []restate.ServiceDefinition{counter}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()
	server, err := httpapi.New(rt, httpapi.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ingress := httptest.NewServer(server.IngressHandler())
	defer ingress.Close()

	for range 2 {
		resp, err := http.Post(ingress.URL+"/Counter/visits/add", "application/json", strings.NewReader("21"))
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, string(body))
	}
	// Output:
	// 200 21
	// 200 42
}
