package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

// order has a type that leads back to itself, one that is used twice, and one
// whose JSON is not what its fields suggest.
type order struct {
	ID      string            `json:"id" jsonschema:"example=o-1"`
	Lines   []line            `json:"lines"`
	Parent  *order            `json:"parent,omitempty"`
	At      time.Time         `json:"at"`
	Options map[string]string `json:"options,omitempty"`
}

type line struct {
	Article string `json:"article"`
	Count   int    `json:"count"`
}

type receipt struct {
	Order order   `json:"order"`
	Total float64 `json:"total"`
}

// shopServices has what the test services lack and an OpenAPI document has to
// describe: documentation, every codec, nested types, private handlers.
func shopServices() []restate.ServiceDefinition {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	buy := func(_ restate.ObjectContext, o order) (receipt, error) { return receipt{Order: o, Total: 1.5}, nil }
	peek := func(_ restate.ObjectSharedContext, _ restate.Void) ([]line, error) { return []line{{"tea", 2}}, nil }
	refuse := func(_ restate.ObjectContext, n int) (int, error) {
		return 0, restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(422))
	}
	noted := func(_ restate.Context, _ order) (restate.Void, error) { return restate.Void{}, nil }
	raw := func(_ restate.Context, b []byte) ([]byte, error) { return b, nil }
	proto := func(_ restate.Context, v *wrapperspb.StringValue) (*wrapperspb.StringValue, error) { return v, nil }
	whatever := func(_ restate.Context, _ any) (any, error) { return map[string]any{"at": at}, nil }
	run := func(_ restate.WorkflowContext, o order) (string, error) { return o.ID, nil }
	hidden := restate.WithIngressPrivate(true)
	return []restate.ServiceDefinition{
		restate.NewObject("Shop", restate.WithDocumentation("Sells things.")).
			Handler("buy", restate.NewObjectHandler(buy, restate.WithDocumentation("Buys what is ordered."))).
			Handler("peek", restate.NewObjectSharedHandler(peek)).
			Handler("refuse", restate.NewObjectHandler(refuse)).
			Handler("secret", restate.NewObjectHandler(refuse, hidden)),
		restate.NewService("Desk").
			Handler("note", restate.NewServiceHandler(noted)).
			Handler("raw", restate.NewServiceHandler(raw, restate.WithBinary)).
			Handler("proto", restate.NewServiceHandler(proto, restate.WithProto)).
			Handler("whatever", restate.NewServiceHandler(whatever)),
		restate.NewWorkflow("Delivery").Handler("run", restate.NewWorkflowHandler(run)),
		restate.NewService("Hidden", hidden).Handler("note", restate.NewServiceHandler(noted)),
	}
}

// openShop serves shopServices to who has the token until the test ends, and
// returns the URLs of ingress and admin.
func openShop(t *testing.T, token string) (ingress, admin string) {
	t.Helper()
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	config := httpapi.Config{
		Dir: t.TempDir(), Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Logger: slog.New(slog.DiscardHandler), Ready: func(a httpapi.Addresses) { ready <- a },
		Safety: httpapi.Safety{IngressTokens: httpapi.Tokens{List: []string{token}}},
	}
	go func() { ended <- httpapi.Run(ctx, config, shopServices()...) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return "http://" + at.Ingress, "http://" + at.Admin
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
		return "", ""
	}
}
