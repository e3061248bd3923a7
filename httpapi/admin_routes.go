package httpapi

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// adminRoute is one route of the admin port, as it is shown.
type adminRoute struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// indexRoute serves GET /, which tells what the admin port has. It is called
// when all other routes are there.
func (s *Server) indexRoute(e *echo.Echo) {
	e.GET("/", func(c echo.Context) error {
		body, err := encodeJSON(struct {
			Name    string       `json:"name"`
			Version string       `json:"version"`
			Ingress string       `json:"ingress_endpoint"`
			Routes  []adminRoute `json:"routes"`
		}{"dormouse", Version, endpoint(s.opts.Ingress), adminRoutesOf(e)})
		if err != nil {
			return err
		}
		return s.writeJSON(c.Response(), http.StatusOK, body)
	})
}

// adminRoutesOf reads the routes out of the router, sorted. A path that takes
// every method is there to refuse them all, and is none.
func adminRoutesOf(e *echo.Echo) []adminRoute {
	refused := map[string]bool{}
	for _, r := range e.Routes() {
		if r.Method == http.MethodConnect {
			refused[r.Path] = true
		}
	}
	var routes []adminRoute
	for _, r := range e.Routes() {
		if !refused[r.Path] && r.Method != echo.RouteNotFound {
			routes = append(routes, adminRoute{r.Method, showPath(r.Path)})
		}
	}
	slices.SortFunc(routes, func(a, b adminRoute) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return routes
}

// showPath writes the path of a route with its parameters in braces.
func showPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		switch {
		case strings.HasPrefix(p, ":"):
			parts[i] = "{" + p[1:] + "}"
		case p == "*":
			parts[i] = "{…}"
		}
	}
	return strings.Join(parts, "/")
}

// listRoutes writes routes for a message. Those that differ in their last word
// only are written as one.
func listRoutes(routes []adminRoute) string {
	words := map[adminRoute][]string{}
	for _, r := range routes {
		cut := strings.LastIndexByte(r.Path, '/') + 1
		stem := adminRoute{r.Method, r.Path[:cut]}
		words[stem] = append(words[stem], r.Path[cut:])
	}
	stems := slices.SortedFunc(maps.Keys(words), func(a, b adminRoute) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	texts := make([]string, len(stems))
	for i, stem := range stems {
		texts[i] = stem.Method + " " + stem.Path + strings.Join(words[stem], "|")
	}
	return strings.Join(texts, ", ")
}

// explain runs a route of the admin port. What the router refuses, it refuses
// with what to ask for instead, and a parameter that the route does not have is
// an error: one that is misspelt and ignored does another thing than was meant.
func (s *Server) explain(e *echo.Echo, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if f := unknownParameter(c); f != nil {
			return f
		}
		err := next(c)
		path := c.Request().URL.Path
		switch {
		case errors.Is(err, echo.ErrNotFound) && notOffered(path) != "":
			return notFound(notOffered(path))
		case errors.Is(err, echo.ErrNotFound):
			return notFound("no such route; the admin port has " + listRoutes(adminRoutesOf(e)))
		case errors.Is(err, echo.ErrMethodNotAllowed):
			allow := c.Response().Header().Get(headerAllow)
			f := methodNotAllowed(allow)
			f.message = c.Request().Method + " is not possible here: use " + methods(allow)
			return f
		}
		return err
	}
}

// methods names those of an Allow header that do something.
func methods(allow string) string {
	var use []string
	for m := range strings.SplitSeq(allow, ", ") {
		if m != "" && m != http.MethodOptions {
			use = append(use, m)
		}
	}
	return strings.Join(use, " or ")
}

// notOffered tells clients of Restate, and its command line, why a route of its
// admin API is not here; "" for any other path.
func notOffered(path string) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "deployments", "endpoints":
		return "there is nothing to register here: the handlers are embedded in this program, and bound when it starts; GET /services lists them"
	case "subscriptions":
		return "there are no subscriptions here: let the program read the topic and send to its handlers, see examples/kafka"
	case "query":
		return "SQL is not offered: GET /introspection/… has the same as JSON"
	case "cluster-health":
		return "there is no cluster here, one process owns its data: ask GET /health"
	case "v1", "v2", "v3", "v4":
		return "the routes of this port have no version in front of them: ask for /" + rest
	default:
		return ""
	}
}

// parametersOf returns the parameters of a route whose own code does not look
// for others. The health route ignores them: who asks it may have reasons of its
// own.
func parametersOf(route string) (names []string, checked bool) {
	switch {
	case route == "/", route == "/version", route == "/metrics",
		strings.HasPrefix(route, "/services"):
		return nil, true
	case strings.HasPrefix(route, "/invocations/:id/"):
		return operationParameters(strings.TrimPrefix(route, "/invocations/:id/"))
	case strings.HasPrefix(route, batchPath):
		return operationParameters(strings.TrimPrefix(route, batchPath))
	}
	return nil, false
}

// operationParameters returns the parameters of an operation.
func operationParameters(op string) (names []string, checked bool) {
	switch op {
	case "restart-as-new":
		return []string{"deployment", "from"}, true
	case "resume":
		return []string{"deployment"}, true
	case "cancel", "kill", "pause", "purge", "purge-journal":
		return nil, true
	default:
		return nil, false
	}
}

func unknownParameter(c echo.Context) *failure {
	if c.Request().URL.RawQuery == "" {
		return nil
	}
	// What url.Values leaves out would be a filter that is ignored.
	if _, err := url.ParseQuery(c.Request().URL.RawQuery); err != nil && c.Path() != "/health" {
		return badRequest("the query has a broken percent escape or a semicolon: parameters are separated by &, and a % is written as %25, a ; as %3B")
	}
	known, checked := parametersOf(c.Path())
	if !checked {
		return nil
	}
	given := c.QueryParams()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case slices.Contains(known, name) && len(given[name]) > 1:
			return badRequest("parameter " + name + " is given twice")
		case slices.Contains(known, name):
		case len(known) == 0:
			return badRequest("unknown parameter '" + name + "': this route has none")
		default:
			return badRequest("unknown parameter '" + name + "': there is " + strings.Join(known, ", "))
		}
	}
	return nil
}

// askedForHead is the key under which the context of a request says that it was
// HEAD.
type askedForHead struct{}

// headAsGet serves HEAD by what serves GET. net/http sends no body then.
func headAsGet(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.WithContext(context.WithValue(r.Context(), askedForHead{}, true))
			r.Method = http.MethodGet
		}
		h.ServeHTTP(w, r)
	})
}
