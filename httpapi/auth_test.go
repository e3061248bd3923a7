package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/guard"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

const (
	callPath   = "/Greeter/NoIn"
	adminPath  = "/introspection/invocations/"
	bearerText = "Bearer "
)

func resolvePath() string {
	return "/restate/a/" + (ident.AwakeableID{Invocation: testID, Index: 17}).String() + "/resolve"
}

func signalPath() string { return "/restate/signals/" + testID.String() + "/go/resolve" }

// guarded is what the fake runtime answers when a request comes through.
func guarded() *fakeRuntime {
	return &fakeRuntime{operate: func(machine.Operation, ident.InvocationID) (bool, error) { return false, nil }}
}

// entry is a request to a port that asks for tokens, and its status.
type entry struct {
	safety        Safety
	method, path  string
	authorization string
	status        int
}

func entries() map[string]entry {
	in, awake, admin := Tokens{List: []string{"in-1", "in-2"}}, Tokens{List: []string{"awake"}}, Tokens{List: []string{"root"}}
	all := Safety{IngressTokens: in, AwakeableTokens: awake, AdminTokens: admin}
	follows := Safety{IngressTokens: in}
	opened := Safety{IngressTokens: in, AwakeableTokens: Tokens{Open: true}}
	only := Safety{AwakeableTokens: awake}
	resolve, signal, kill := resolvePath(), signalPath(), "/invocations/"+testID.String()+"/kill"
	return map[string]entry{
		"open by default":                           {Safety{}, "GET", callPath, "", 200},
		"an unneeded token does no harm":            {Safety{}, "GET", callPath, bearerText + "x", 200},
		"the ingress without":                       {all, "GET", callPath, "", 401},
		"the ingress with one of two":               {all, "GET", callPath, bearerText + "in-1", 200},
		"the ingress with the other one":            {all, "GET", callPath, bearerText + "in-2", 200},
		"the ingress with one of another part":      {all, "GET", callPath, bearerText + "root", 401},
		"the scheme in any case":                    {all, "GET", callPath, "bEARER in-1", 200},
		"more blanks":                               {all, "GET", callPath, "Bearer   in-1", 200},
		"another scheme":                            {all, "GET", callPath, "Basic in-1", 401},
		"the beginning of a token":                  {all, "GET", callPath, bearerText + "in-", 401},
		"more than a token":                         {all, "GET", callPath, bearerText + "in-1x", 401},
		"no token at all":                           {all, "GET", callPath, "Bearer", 401},
		"a very long token":                         {all, "GET", callPath, bearerText + strings.Repeat("x", 1<<15), 401},
		"authentication comes before the path":      {all, "GET", "/", "", 401},
		"and before the service":                    {all, "GET", "/Nope/x", "", 401},
		"with a token the path counts":              {all, "GET", "/", bearerText + "in-1", 400},
		"attach":                                    {all, "GET", "/restate/invocation/" + testID.String() + "/attach", "", 401},
		"resolve without":                           {all, "POST", resolve, "", 401},
		"resolve with that of the ingress":          {all, "POST", resolve, bearerText + "in-1", 401},
		"resolve with its own":                      {all, "POST", resolve, bearerText + "awake", 202},
		"a signal with that of the awakeables":      {all, "POST", signal, bearerText + "awake", 202},
		"a signal with that of the ingress":         {all, "POST", signal, bearerText + "in-1", 401},
		"a malformed id tells nothing before":       {all, "POST", "/restate/awakeables/x/resolve", "", 401},
		"awakeables follow the ingress":             {follows, "POST", resolve, "", 401},
		"with its token":                            {follows, "POST", resolve, bearerText + "in-2", 202},
		"awakeables may be open":                    {opened, "POST", resolve, "", 202},
		"signals then too":                          {opened, "POST", signal, "", 202},
		"and the rest is not":                       {opened, "GET", callPath, "", 401},
		"tokens for awakeables only":                {only, "POST", resolve, "", 401},
		"leave the ingress open":                    {only, "GET", callPath, "", 200},
		"the health route is open":                  {all, "GET", "/restate/health", "", 200},
		"with a slash too":                          {all, "GET", "/restate/health/", "", 200},
		"what goes on behind it is not":             {all, "GET", "/restate/health/x", "", 401},
		"OPTIONS is open":                           {all, "OPTIONS", "/Obj/k/Add", "", 200},
		"the admin port without":                    {all, "PATCH", kill, "", 401},
		"with that of the ingress":                  {all, "PATCH", kill, bearerText + "in-1", 401},
		"the admin port with its own":               {all, "PATCH", kill, bearerText + "root", 200},
		"introspection":                             {all, "GET", adminPath + testID.String(), "", 401},
		"an unknown admin route":                    {all, "GET", "/nope", "", 401},
		"the health of the admin port":              {all, "GET", "/health", "", 200},
		"the admin port is not that of the ingress": {follows, "PATCH", kill, "", 200},
	}
}

func TestEachPartOfThePortsHasTokensOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range entries() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testServer(t, guarded(), Options{Safety: c.safety})
			h, onAdmin := s.IngressHandler(), strings.HasPrefix(c.path, "/invocations") || strings.HasPrefix(c.path, "/intro") || c.path == "/health" || c.path == "/nope"
			if onAdmin {
				h = s.AdminHandler()
			}
			var headers []string
			if c.authorization != "" {
				headers = []string{"Authorization", c.authorization}
			}
			w := ask(h, c.method, c.path, "", headers...)
			if w.Code != c.status {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if w.Code != http.StatusUnauthorized {
				return
			}
			form := `"source":"ingress"}`
			if onAdmin {
				form = `"restate_code":null}`
			}
			if w.Header().Get("WWW-Authenticate") != "Bearer" || w.Header().Get("Content-Type") != asJSON || !strings.HasSuffix(w.Body.String(), form) {
				t.Errorf("the refusal is %v %s", w.Header(), w.Body)
			}
			if n := s.Stats().Unauthorized; n != 1 {
				t.Errorf("%d refusals are counted", n)
			}
		})
	}
}

func TestTwoAuthorizationHeadersAreRefused(t *testing.T) {
	t.Parallel()
	s := testServer(t, guarded(), Options{Safety: Safety{IngressTokens: Tokens{List: []string{"a"}}}})
	if w := ask(s.IngressHandler(), "GET", callPath, "", "Authorization", "Bearer b", "Authorization", "Bearer a"); w.Code != 401 {
		t.Errorf("got %d", w.Code)
	}
}

func TestACheckedTokenReachesNeitherHandlerNorLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := guarded()
	s := testServer(t, f, Options{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Safety: Safety{IngressTokens: Tokens{List: []string{"secret-token"}}},
	})
	ask(s.IngressHandler(), "GET", callPath, "", "Authorization", "Bearer secret-token")
	ask(s.IngressHandler(), "GET", callPath, "", "Authorization", "Bearer wrong-token")
	if len(f.requests) != 1 {
		t.Fatalf("%d requests came through", len(f.requests))
	}
	for _, h := range f.requests[0].Headers {
		if h.Key == "authorization" || strings.Contains(h.Value, "secret") {
			t.Errorf("the handler sees %v", h)
		}
	}
	if strings.Contains(log.String(), "-token") || strings.Count(log.String(), "request_id=") != 2 {
		t.Errorf("the log says %s", log.String())
	}
	open := guarded()
	ask(testServer(t, open, Options{}).IngressHandler(), "GET", callPath, "", "Authorization", "Bearer for-the-handler")
	if !hasHeader(open.requests[0], "authorization", "Bearer for-the-handler") {
		t.Errorf("without tokens the header is the handler's: %v", open.requests[0].Headers)
	}
}

func hasHeader(r actors.Request, name, value string) bool {
	for _, h := range r.Headers {
		if h.Key == name && h.Value == value {
			return true
		}
	}
	return false
}

// TestTokensOfAFileAreReadAgainWhenItChanges runs in a bubble, where the time
// between two looks passes at once; files keep the time of the system.
func TestTokensOfAFileAreReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		write := func(text string, age time.Duration) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(age)
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
			<-time.After(guard.LookEvery)
		}
		write("# rotated every month\n\n  old  \n", 0)
		s := testServer(t, guarded(), Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Safety: Safety{IngressTokens: Tokens{List: []string{"fixed"}, File: file}},
		})
		status := func(token string) int {
			return ask(s.IngressHandler(), "GET", callPath, "", "Authorization", bearerText+token).Code
		}
		check := func(when string, want map[string]int) {
			t.Helper()
			for token, code := range want {
				if got := status(token); got != code {
					t.Errorf("%s: %s gets %d, want %d", when, token, got, code)
				}
			}
		}
		check("at start", map[string]int{"old": 200, "new": 401, "fixed": 200, "#": 401})
		write("old\nnew\n", time.Second)
		check("with both", map[string]int{"old": 200, "new": 200, "fixed": 200})
		write("new\n", 2*time.Second)
		check("with the new one", map[string]int{"old": 401, "new": 200, "fixed": 200})
		write("\n", 3*time.Second)
		check("emptied by mistake", map[string]int{"old": 401, "new": 200, "fixed": 200})
		if !strings.Contains(log.String(), "has no token") {
			t.Errorf("the log says %s", log.String())
		}
		write("newest\n", 4*time.Second)
		check("corrected", map[string]int{"new": 401, "newest": 200})
	})
}

func TestSafetyThatCannotWorkIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("# none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, safety := range map[string]Safety{
		"tokens of the ingress: token 2 of 2 is empty":             {IngressTokens: Tokens{List: []string{"a", ""}}},
		"tokens of the admin port: token 1 of 1 is empty or has":   {AdminTokens: Tokens{List: []string{"a b"}}},
		"tokens of the awakeables: Open is set and there are":      {AwakeableTokens: Tokens{Open: true, File: empty}},
		"has no token: write one per line":                         {IngressTokens: Tokens{File: empty}},
		"tokens of the ingress: open ":                             {IngressTokens: Tokens{File: filepath.Join(dir, "nowhere")}},
		"TLS of the ingress: there is a key and no certificate":    {IngressTLS: TLSFiles{Key: empty}},
		"TLS of the admin port: there is a certificate and no key": {AdminTLS: TLSFiles{Cert: empty}},
		"TLS of the ingress: read certificate":                     {IngressTLS: TLSFiles{Cert: empty, Key: empty}},
		`AllowOrigins has "shop.example"`:                          {AllowOrigins: []string{"shop.example"}},
		`AllowOrigins has "https://shop.example/"`:                 {AllowOrigins: []string{"https://shop.example/"}},
		"MaxRequests is -1":                                        {MaxRequests: -1},
	} {
		_, err := newServer(guarded(), Options{Safety: safety, Logger: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
