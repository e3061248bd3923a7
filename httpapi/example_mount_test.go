package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A program that serves a page of its own on the port of the ingress. The page
// calls a handler in process, without HTTP.
func ExampleMount() {
	dir, err := os.MkdirTemp("", "data")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, stop := context.WithCancel(context.Background())
	config := httpapi.Config{Dir: dir, Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}
	config.Mount = func(m *httpapi.Mount) error {
		client, next := m.Runtime.Client(), m.Ingress
		pages := http.NewServeMux()
		pages.HandleFunc("GET /pages/{name}", func(w http.ResponseWriter, r *http.Request) {
			hello, err := ingress.Service[string, string](client, "Greeter", "greet").Request(r.Context(), r.PathValue("name"))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			_, _ = io.WriteString(w, "<h1>"+hello+"</h1>")
		})
		m.Ingress = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/pages/") {
				pages.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r) // everything else, as it came
		})
		return nil
	}
	config.Ready = func(at httpapi.Addresses) {
		go func() {
			defer stop()
			resp, err := http.Get("http://" + at.Ingress + "/pages/mouse")
			if err != nil {
				fmt.Println(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			page, _ := io.ReadAll(resp.Body)
			fmt.Println(string(page))
			fmt.Println(curl("http://"+at.Ingress+"/Greeter/greet", `"mouse"`))
		}()
	}
	fmt.Println(httpapi.Run(ctx, config, greeterService()))
	// Output:
	// <h1>hello mouse</h1>
	// 200 "hello mouse" <nil>
	// <nil>
}
