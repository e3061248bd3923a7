package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
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
	front := httptest.NewServer(server.IngressHandler())
	defer front.Close()

	for range 2 {
		resp, err := http.Post(front.URL+"/Counter/visits/add", "application/json", strings.NewReader("21"))
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

// A whole program: handlers, store and ports.
func ExampleRun() {
	ctx := context.Background()
	greet := func(ctx restate.ObjectContext, name string) (string, error) {
		return "hello " + name + ", says " + restate.Key(ctx), restate.Sleep(ctx, 10*time.Second)
	}
	greeter := restate.NewObject("Greeter").Handler("greet", restate.NewObjectHandler(greet))
	log.Fatal(httpapi.Run(ctx, httpapi.Config{}, greeter))
}

// The same without HTTP: a client in the process calls, and answers what waits.
func Example_inProcess() {
	ctx := context.Background()
	ids := make(chan string, 1)
	ask := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		answer := restate.Awakeable[string](ctx)
		ids <- answer.Id()
		return answer.Result()
	}
	asker := restate.NewObject("Asker").Handler("ask", restate.NewObjectHandler(ask))
	rt, err := actors.Open(ctx, actors.Options{Services: []restate.ServiceDefinition{asker}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()

	c := rt.Client()
	go func() { _ = ingress.ResolveAwakeable(ctx, c, <-ids, "yes") }()
	fmt.Println(ingress.Object[restate.Void, string](c, "Asker", "bob", "ask").Request(ctx, restate.Void{}))
	// Output: yes <nil>
}
