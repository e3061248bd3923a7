package httpapi

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/objects"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// run starts Run and waits until it serves, or returns its error.
func run(t *testing.T, c Config) (at Addresses, end func() error, err error) {
	t.Helper()
	ready, ended := make(chan Addresses, 1), make(chan error, 1)
	c.Ingress, c.Admin, c.Logger = "127.0.0.1:0", "127.0.0.1:0", quiet()
	c.Ready = func(a Addresses) { ready <- a }
	ctx, cancel := context.WithCancel(t.Context())
	greet := func(_ objects.Context, name string) (string, error) { return "hi " + name, nil }
	service := objects.NewService("Greeter").Handler("Greet", objects.NewServiceHandler(greet))
	go func() { ended <- Run(ctx, c, service) }()
	select {
	case at = <-ready:
		return at, func() error { cancel(); return <-ended }, nil
	case err = <-ended:
		cancel()
		return at, nil, err
	}
}

func TestRunServesUntilItsContextEndsAndCanBeRunAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	for range 2 {
		at, end, err := run(t, Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post("http://"+at.Ingress+"/Greeter/Greet", asJSON, strings.NewReader(`"you"`))
		if err != nil || resp.StatusCode != 200 {
			t.Errorf("got %v, %v", resp, err)
		}
		if err := end(); err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestTwoRuntimesRunInOneProcessOnDirectoriesOfTheirOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, end, err := run(t, Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(t, Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "open the data directory") {
		t.Errorf("a second runtime on the directory: %v", err)
	}
	_, endOther, err := run(t, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if err := endOther(); err != nil {
		t.Error(err)
	}
}

func TestATakenPortEndsRunBeforeTheStoreIsOpened(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := filepath.Join(t.TempDir(), "data")
	err = Run(t.Context(), Config{Dir: dir, Ingress: taken.Addr().String(), Admin: "127.0.0.1:0", Logger: quiet()})
	if err == nil || !strings.Contains(err.Error(), "ingress") {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data directory was touched: %v", err)
	}
}

func TestWrongSafetyEndsRunBeforeTheStoreIsOpened(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for name, safety := range map[string]Safety{
		"tokens":  {AdminTokens: Tokens{File: missing}},
		"TLS":     {IngressTLS: TLSFiles{Cert: missing, Key: missing}},
		"origin":  {AllowOrigins: []string{"shop"}},
		"streams": {MaxStreams: -1},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		err := Run(t.Context(), Config{Dir: dir, Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: quiet(), Safety: safety})
		if err == nil {
			t.Errorf("%s: Run went well", name)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: the data directory was touched, and handlers may have run: %v", name, err)
		}
	}
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	t.Setenv("DORMOUSE_DATA", "/env/data")
	t.Setenv("DORMOUSE_INGRESS", "127.0.0.1:1")
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	c := FlagConfig(fs)
	if err := fs.Parse([]string{"-ingress", "127.0.0.1:2"}); err != nil {
		t.Fatal(err)
	}
	if c.Dir != "/env/data" || c.Ingress != "127.0.0.1:2" || c.Admin != DefaultAdmin {
		t.Errorf("got %+v", c)
	}
}

func TestRestateStartsOnTheAddressesOfTheEnvironment(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	t.Setenv("DORMOUSE_DATA", t.TempDir())
	t.Setenv("DORMOUSE_INGRESS", taken.Addr().String())
	t.Setenv("DORMOUSE_ADMIN", "127.0.0.1:0")
	err = NewRestate().Bind(testServices()[0]).WithLogger(slog.DiscardHandler, true).Start(t.Context(), ":9080")
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("Start: %v", err)
	}
}

func TestBindingANameTwicePanicsAtStart(t *testing.T) {
	t.Parallel()
	defer func() {
		if v, _ := recover().(string); !strings.Contains(v, `"Obj" is bound twice`) {
			t.Errorf("panicked with %q", v)
		}
	}()
	NewRestate().Bind(testServices()[0]).Bind(testServices()[0])
}

func TestTheTimesOfAProgramAreThoseOfItsServer(t *testing.T) {
	t.Parallel()
	o := Config{HeaderTimeout: 1, TransferTimeout: 2, IdleTimeout: 3, StopGrace: 4}.options().withDefaults()
	if got := [...]time.Duration{o.HeaderTimeout, o.TransferTimeout, o.IdleTimeout, o.StopGrace}; got != [...]time.Duration{1, 2, 3, 4} {
		t.Errorf("the server has %v", got)
	}
}
