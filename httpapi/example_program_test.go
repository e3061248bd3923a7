package httpapi_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

func greeterService() restate.ServiceDefinition {
	greet := func(_ restate.Context, name string) (string, error) { return "hello " + name, nil }
	return restate.NewService("Greeter").Handler("greet", restate.NewServiceHandler(greet))
}

// curl sends a JSON text and returns the answer.
func curl(url, body string) string {
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", string(text), " ", err)
}

// A program that says where everything is: a data directory, and two ports that
// the system chooses. Ready tells which. Run ends with its context.
func ExampleConfig() {
	dir, err := os.MkdirTemp("", "data")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, stop := context.WithCancel(context.Background())
	ready := make(chan httpapi.Addresses, 1)
	go func() {
		fmt.Println(curl("http://"+(<-ready).Ingress+"/Greeter/greet", `"mouse"`))
		stop()
	}()
	config := httpapi.Config{
		Dir: dir, Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Logger: slog.New(slog.DiscardHandler), Ready: func(a httpapi.Addresses) { ready <- a },
	}
	fmt.Println(httpapi.Run(ctx, config, greeterService()))
	// Output:
	// 200 "hello mouse" <nil>
	// <nil>
}

// The flags of a program, with the environment as their defaults.
func ExampleFlagConfig() {
	fs := flag.NewFlagSet("greeter", flag.ContinueOnError)
	config := httpapi.FlagConfig(fs)
	fmt.Println(fs.Parse([]string{"-data", "/var/lib/greeter", "-ingress", ":9090"}))
	fmt.Println(config.Dir, config.Ingress)
	// Output:
	// <nil>
	// /var/lib/greeter :9090
}

// The program as it is written for Restate's Go SDK. It serves the ingress on
// :8080; the address belongs to an endpoint that an embedded runtime does not
// have.
func ExampleNewRestate() {
	server := httpapi.NewRestate().
		Bind(greeterService()).
		WithLogger(slog.NewTextHandler(os.Stderr, nil), true)
	if err := server.Start(context.Background(), ":9080"); err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}
