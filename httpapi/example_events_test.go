package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

// A program that follows what happens to the invocations of a service.
func ExampleServer_AdminHandler_events() {
	greet := func(_ restate.Context, name string) (string, error) { return "hello " + name, nil }
	greeter := restate.NewService("Greeter").Handler("greet", restate.NewServiceHandler(greet))
	rt, err := actors.Open(context.Background(), actors.Options{Services: []restate.ServiceDefinition{greeter}})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = rt.Close() }()
	server, err := httpapi.New(rt, httpapi.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ingress, admin := httptest.NewServer(server.IngressHandler()), httptest.NewServer(server.AdminHandler())
	defer ingress.Close()
	defer admin.Close()

	stream, err := http.Get(admin.URL + "/introspection/events?service=Greeter")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }() // nothing that happens from here on is missed
	if _, err := http.Post(ingress.URL+"/Greeter/greet", "application/json", strings.NewReader(`"Ann"`)); err != nil {
		log.Fatal(err)
	}
	var event string
	for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			event = value
		case "data":
			var item struct{ Target, Status string }
			if err := json.Unmarshal([]byte(value), &item); err != nil {
				log.Fatal(err)
			}
			fmt.Println(event, item.Target, item.Status)
			if event == "invocation.completed" {
				return
			}
		}
	}
	// Output:
	// invocation.created Greeter/greet ready
	// invocation.status Greeter/greet running
	// invocation.completed Greeter/greet completed
}
