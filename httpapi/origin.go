package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Headers of browsers, and those that answer them.
const (
	headerOrigin           = "Origin"
	headerFetchSite        = "Sec-Fetch-Site"
	headerFetchMode        = "Sec-Fetch-Mode"
	headerVary             = "Vary"
	headerRequestMethod    = "Access-Control-Request-Method"
	headerRequestHeaders   = "Access-Control-Request-Headers"
	headerAllowOrigin      = "Access-Control-Allow-Origin"
	headerAllowCredentials = "Access-Control-Allow-Credentials"
	headerAllowMethods     = "Access-Control-Allow-Methods"
	headerAllowHeaders     = "Access-Control-Allow-Headers"
	headerExpose           = "Access-Control-Expose-Headers"
)

const (
	valueVary   = "origin, access-control-request-method, access-control-request-headers"
	valueExpose = "x-restate-id, x-restate-error-source, idempotency-expires, x-request-id, x-dormouse-outcome, retry-after"
)

// origins says whose pages may call the ingress. It is not changed once made.
type origins struct {
	any, loopback bool
	// listed are in lower case.
	listed []string
	vary   always
}

func newOrigins(allow []string) (o origins, err error) {
	o.vary = newAlways(valueVary)
	var errs []error
	for _, origin := range allow {
		switch {
		case origin == originAny:
			o.any = true
		case origin == originLoopback:
			o.loopback = true
		case wellFormed(origin):
			o.listed = append(o.listed, strings.ToLower(origin))
		default:
			errs = append(errs, fmt.Errorf("safety: AllowOrigins has %q: an origin is a scheme and a host, as https://shop.example; %q and %q are for this machine and for all", origin, originLoopback, originAny))
		}
	}
	return o, errors.Join(errs...)
}

func wellFormed(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Scheme != "" && u.Host != "" && u.Scheme+"://"+u.Host == origin
}

func (o origins) allow(origin string) bool {
	return o.any || slices.Contains(o.listed, strings.ToLower(origin)) || o.loopback && ofLoopback(origin)
}

// ofLoopback reports whether an origin lies on this machine.
func ofLoopback(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && loopbackHost(u.Hostname())
}

// loopbackHost reports whether a host name, without port, can only be this
// machine.
func loopbackHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// share sets what tells a browser who may read the answer, which is the same
// for answers and errors, and reports whether the request is answered: it asks
// whether another one may be made.
func (o origins) share(w http.ResponseWriter, r *http.Request) (preflight bool) {
	o.vary.set(w, headerVary)
	preflight = r.Method == http.MethodOptions
	origin := first(r.Header, headerOrigin)
	if origin == "" || !printable(origin) || !o.allow(origin) {
		return preflight
	}
	set(w, headerAllowOrigin, origin)
	set(w, headerAllowCredentials, "true")
	if !preflight {
		set(w, headerExpose, valueExpose)
		return false
	}
	mirror(w, r, headerRequestMethod, headerAllowMethods)
	mirror(w, r, headerRequestHeaders, headerAllowHeaders)
	return true
}

func mirror(w http.ResponseWriter, r *http.Request, from, to string) {
	if v := first(r.Header, from); v != "" && printable(v) {
		set(w, to, v)
	}
}

// admit refuses a request that a page of an origin which is not allowed has a
// browser make. Not to let it read the answer is not enough: what it asked for
// would have happened.
func (o origins) admit(r *http.Request) *failure {
	origin := first(r.Header, headerOrigin)
	if !foreign(r, origin) || origin != "" && o.allow(origin) || origin == "" && o.any {
		return nil
	}
	return fail(http.StatusForbidden, "pages of this origin may not call the ingress: list the origin in AllowOrigins")
}

// foreign reports whether a page of another origin made a browser send r. Such
// browsers say so themselves; older ones send an origin, which is compared with
// the host. Following a link is not foreign: a person did that.
func foreign(r *http.Request, origin string) bool {
	switch first(r.Header, headerFetchSite) {
	case "same-origin", "none":
		return false
	case "":
	default:
		followed := first(r.Header, headerFetchMode) == "navigate" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
		return !followed
	}
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// adminGuard keeps pages of browsers away from the admin port. It is not
// changed once made.
type adminGuard struct {
	// open says that there are no tokens: then a page that a name server has
	// pointed at this machine could do everything.
	open  bool
	hosts []string
}

func (g adminGuard) admit(r *http.Request) *failure {
	if foreign(r, first(r.Header, headerOrigin)) {
		return fail(http.StatusForbidden, "pages of other origins may not call the admin port")
	}
	if g.open && onLoopback(r) && !g.named(r.Host) {
		return fail(http.StatusForbidden, "the admin port on loopback is addressed by localhost or an IP address: set AdminHosts for another name, or set tokens")
	}
	return nil
}

// named reports whether the port may be addressed by host.
func (g adminGuard) named(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if name == "" || loopbackHost(name) {
		return true
	}
	return slices.ContainsFunc(g.hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// onLoopback reports whether r came to an address of loopback.
func onLoopback(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
