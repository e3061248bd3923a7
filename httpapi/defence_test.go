package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
)

func panicking() *fakeRuntime {
	return &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) { panic("spilled milk") }}
}

func TestTheStackOfAPanicLeavesTheProcessOnlyWhenAskedTo(t *testing.T) {
	t.Parallel()
	for _, expose := range []bool{false, true} {
		var log bytes.Buffer
		s := testServer(t, panicking(), Options{Safety: Safety{ExposeStackTraces: expose}, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
		w := ask(s.IngressHandler(), "GET", callPath, "", "X-Request-Id", "r-1")
		var body struct{ Code, Message, Stacktrace, Source any }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 500 || w.Header().Get("X-Request-Id") != "r-1" {
			t.Fatalf("%d %s, %v", w.Code, w.Body, err)
		}
		stack, _ := body.Stacktrace.(string)
		if shown := strings.Contains(stack, "spilled milk") && strings.Contains(stack, "defence_test.go"); shown != expose || strings.Contains(w.Body.String(), "spilled") != expose {
			t.Errorf("exposed %t: %s", expose, w.Body)
		}
		if !strings.Contains(log.String(), "spilled milk") || !strings.Contains(log.String(), "defence_test.go") || !strings.Contains(log.String(), `"request_id":"r-1"`) {
			t.Errorf("the log says %s", log.String())
		}
		if n := s.Stats().Panics; n != 1 {
			t.Errorf("%d panics are counted", n)
		}
	}
}

func TestTheLevelsOfRequestsCanBeChosen(t *testing.T) {
	t.Parallel()
	refusing := func() *fakeRuntime {
		f := guarded()
		f.call = func(_ context.Context, r actors.Request) (actors.Response, error) {
			return map[string]actors.Response{"": {ID: testID}}[r.Key], map[string]error{"stop": actors.ErrStopped}[r.Key]
		}
		return f
	}
	levels := func(safety Safety) (all []string) {
		var log bytes.Buffer
		h := testServer(t, refusing(), Options{Safety: safety, Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}).IngressHandler()
		for _, path := range []string{callPath, "/Nope/x", "/Obj/stop/Get"} {
			log.Reset()
			ask(h, "GET", path, "")
			var line struct{ Level string }
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			all = append(all, line.Level)
		}
		return all
	}
	if got := strings.Join(levels(Safety{}), " "); got != "DEBUG INFO WARN" {
		t.Errorf("by default: %s", got)
	}
	chosen := Safety{RequestLog: RequestLog{Success: slog.LevelInfo, Refused: slog.LevelDebug, Overload: slog.LevelError}}
	if got := strings.Join(levels(chosen), " "); got != "INFO DEBUG ERROR" {
		t.Errorf("chosen: %s", got)
	}
}

// openAdmin is a listener that says it is reached from other machines.
type openAdmin struct{ net.Listener }

func (openAdmin) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 9070} }

func TestAnAdminPortForOtherMachinesWithoutTokensIsWarnedOf(t *testing.T) {
	t.Parallel()
	for _, safety := range []Safety{{}, {AdminTokens: Tokens{List: []string{"root"}}}} {
		var log bytes.Buffer
		s := testServer(t, &fakeRuntime{done: make(chan struct{})}, Options{Safety: safety, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		l, err := listen(t.Context(), Options{Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := s.serve(ctx, listeners{ingress: l.ingress, admin: openAdmin{l.admin}}); err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(log.String(), "can be reached from other machines"); warned != (safety.AdminTokens.List == nil) {
			t.Errorf("with %v: %s", safety.AdminTokens, log.String())
		}
	}
}

func TestSafetyComesFromTheEnvironmentAndFlags(t *testing.T) {
	for name, value := range map[string]string{
		envIngressTokens: "a, b", envAwakeablesOpen: "true", envAdminTokensFile: "/etc/admin", envIngressCert: "c", envIngressKey: "k", envAllowOrigins: "https://a.example,*",
	} {
		t.Setenv(name, value)
	}
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c := FlagConfig(fs)
	if s := c.Safety; strings.Join(s.IngressTokens.List, "|") != "a|b" || !s.AwakeableTokens.Open || s.AdminTokens.File != "/etc/admin" ||
		s.IngressTLS != (TLSFiles{Cert: "c", Key: "k"}) || strings.Join(s.AllowOrigins, "|") != "https://a.example|*" {
		t.Errorf("the environment says %+v", s)
	}
	err := fs.Parse([]string{"-ingress-tokens", "/f1", "-awakeable-tokens", "/f2", "-awakeables-open=false", "-admin-cert", "/c", "-admin-key", "/k", "-allow-origins", ""})
	if s := c.Safety; err != nil || s.IngressTokens.File != "/f1" || s.AwakeableTokens.File != "/f2" || s.AwakeableTokens.Open ||
		s.AdminTLS != (TLSFiles{Cert: "/c", Key: "/k"}) || s.AllowOrigins == nil || len(s.AllowOrigins) != 0 {
		t.Errorf("the flags say %+v, %v", s, err)
	}
	t.Setenv(envAwakeablesOpen, "maybe")
	if _, err := newServer(guarded(), Options{Safety: envSafety(), Logger: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "set it to true or false") {
		t.Errorf("got %v", err)
	}
}

// TestTokensOfTheEnvironmentWithoutATokenAreRefused sets what a template gives that had
// nothing to fill in.
func TestTokensOfTheEnvironmentWithoutATokenAreRefused(t *testing.T) {
	for _, name := range []string{envIngressTokens, envAwakeableTokens, envAdminTokens} {
		for _, text := range []string{" ", ",", " , "} {
			t.Setenv(name, text)
			_, err := newServer(guarded(), Options{Safety: envSafety(), Logger: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), name+" is set and has no token") {
				t.Errorf("%s=%q: got %v", name, text, err)
			}
		}
		t.Setenv(name, "")
	}
	if err := envSafety().check(); err != nil {
		t.Errorf("empty variables count as unset, and give %v", err)
	}

}
