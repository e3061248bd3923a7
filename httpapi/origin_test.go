package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPagesOfThisMachineMayCallTheIngressByDefault(t *testing.T) {
	t.Parallel()
	listed := []string{"https://shop.example", "loopback"}
	for _, c := range []struct {
		origin  string
		allow   []string
		allowed bool
	}{
		{"http://localhost:3000", nil, true},
		{"https://LOCALHOST", nil, true},
		{"http://app.localhost:8080", nil, true},
		{"http://127.0.0.1:1", nil, true},
		{"http://127.9.9.9", nil, true},
		{"http://[::1]:3000", nil, true},
		{"http://[::ffff:127.0.0.1]", nil, true},
		{"https://shop.example", nil, false},
		{"http://localhost.evil.example", nil, false},
		{"http://127.0.0.1.evil.example", nil, false},
		{"http://notlocalhost", nil, false},
		{"null", nil, false},
		{"http://10.0.0.1", nil, false},
		{"https://shop.example", listed, true},
		{"https://SHOP.example", listed, true},
		{"https://shop.example:8443", listed, false},
		{"http://shop.example", listed, false},
		{"http://localhost:3000", listed, true},
		{"http://localhost:3000", []string{"https://shop.example"}, false},
		{"http://localhost:3000", []string{}, false},
		{"https://evil.example", []string{"*"}, true},
		{"null", []string{"*"}, true},
	} {
		h := testServer(t, guarded(), Options{Safety: Safety{AllowOrigins: c.allow}}).IngressHandler()
		w := ask(h, "OPTIONS", "/Obj/k/Add", "", "Origin", c.origin, headerRequestMethod, "PUT", headerRequestHeaders, "x-a, x-b")
		shared := w.Header().Get(headerAllowOrigin) == c.origin && w.Header().Get(headerAllowCredentials) == "true" &&
			w.Header().Get(headerAllowMethods) == "PUT" && w.Header().Get(headerAllowHeaders) == "x-a, x-b"
		if w.Code != 200 || shared != c.allowed || w.Body.Len() != 0 || w.Header().Get("Vary") != valueVary {
			t.Errorf("%s under %v is asked about with %d %v", c.origin, c.allow, w.Code, w.Header())
		}
		if !c.allowed && w.Header().Get(headerAllowOrigin) != "" {
			t.Errorf("%s under %v is told %v", c.origin, c.allow, w.Header())
		}
		want := map[bool]int{true: 200, false: 403}[c.allowed]
		w = ask(h, "POST", callPath, "", "Origin", c.origin)
		if w.Code != want || (w.Header().Get(headerAllowOrigin) == c.origin) != c.allowed || (w.Header().Get(headerExpose) != "") != c.allowed {
			t.Errorf("%s under %v calls and gets %d %v", c.origin, c.allow, w.Code, w.Header())
		}
	}
}

func TestWhoMayReadAnAnswerIsSaidOnEveryOne(t *testing.T) {
	t.Parallel()
	h := testServer(t, guarded(), Options{Safety: Safety{IngressTokens: Tokens{List: []string{"a"}}}}).IngressHandler()
	for _, path := range []string{"/", "/Nope/x", callPath, "/restate/health", resolvePath(), "/openapi/x"} {
		for _, token := range []string{"a", "b"} {
			w := ask(h, "GET", path, "", "Origin", "http://localhost:3000", "Authorization", bearerText+token)
			if w.Header().Get("Vary") != valueVary || w.Header().Get(headerAllowOrigin) != "http://localhost:3000" {
				t.Errorf("%s: %d %v", path, w.Code, w.Header())
			}
		}
		if w := ask(h, "GET", path, ""); w.Header().Get("Vary") != valueVary || w.Header().Get(headerAllowOrigin) != "" {
			t.Errorf("%s without an origin: %d %v", path, w.Code, w.Header())
		}
	}
}

func TestAPageOfAnotherOriginCannotMakeABrowserCall(t *testing.T) {
	t.Parallel()
	f := guarded()
	h := testServer(t, f, Options{}).IngressHandler()
	for _, c := range []struct {
		name    string
		method  string
		headers []string
		status  int
	}{
		{"a program", "POST", nil, 200},
		{"a page of the same origin", "POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://behind.proxy"}, 200},
		{"a person who types the address", "GET", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, 200},
		{"a person who follows a link", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		{"a page with a form", "POST", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "https://evil.example"}, 403},
		{"a page with a script", "POST", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Origin", "https://evil.example"}, 403},
		{"a page with a picture", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"a page of the same site", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://other.example.com"}, 403},
		{"an older browser", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"an older browser at home", "POST", []string{"Origin", "http://example.com"}, 200}, // the host of httptest
		{"a page of this machine", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://localhost:3000"}, 200},
	} {
		before := len(f.requests)
		w := ask(h, c.method, callPath, "", c.headers...)
		if came := len(f.requests) > before; w.Code != c.status || came != (c.status == 200) {
			t.Errorf("%s gets %d, and the handler was called: %t", c.name, w.Code, came)
		}
	}
}

// local is a request as it comes over a connection to an address of this
// machine.
func local(address, method, path, host string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.ParseIP(address), Port: 9070})))
}

func TestNoPageReachesTheAdminPort(t *testing.T) {
	t.Parallel()
	tokens := Safety{AdminTokens: Tokens{List: []string{"root"}}}
	kill := "/invocations/" + testID.String() + "/kill"
	for _, c := range []struct {
		name          string
		safety        Safety
		address, host string
		headers       []string
		status        int
	}{
		{"a program", Safety{}, "127.0.0.1", "127.0.0.1:9070", nil, 200},
		{"by name", Safety{}, "127.0.0.1", "localhost:9070", nil, 200},
		{"without a port", Safety{}, "::1", "[::1]", nil, 200},
		{"IPv6", Safety{}, "::1", "[::1]:9070", nil, 200},
		{"a page whose name was pointed here", Safety{}, "127.0.0.1", "evil.example:9070", []string{"Origin", "http://evil.example:9070", "Sec-Fetch-Site", "same-origin"}, 403},
		{"a page of another origin", Safety{}, "127.0.0.1", "localhost:9070", []string{"Origin", "https://evil.example"}, 403},
		{"a page of this machine on another port", Safety{}, "127.0.0.1", "localhost:9070", []string{"Origin", "http://localhost:3000", "Sec-Fetch-Site", "same-site"}, 403},
		{"a page of its own", Safety{}, "127.0.0.1", "localhost:9070", []string{"Origin", "http://localhost:9070", "Sec-Fetch-Site", "same-origin"}, 200},
		{"another name that is allowed", Safety{AdminHosts: []string{"Ops.internal"}}, "127.0.0.1", "ops.internal:9070", nil, 200},
		{"another name with a token", tokens, "127.0.0.1", "ops.internal", []string{"Authorization", "Bearer root"}, 200},
		{"a pointed name without a token", tokens, "127.0.0.1", "evil.example", nil, 401},
		{"another machine's name", Safety{}, "10.0.0.7", "ops.internal", nil, 200},
	} {
		w := httptest.NewRecorder()
		testServer(t, guarded(), Options{Safety: c.safety}).AdminHandler().ServeHTTP(w, local(c.address, "PATCH", kill, c.host, c.headers...))
		if w.Code != c.status || w.Header().Get(headerAllowOrigin) != "" {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}
