package httpapi

import "strings"

// ingressRoutes are the patterns of the ingress under /restate, for answers and
// metrics. The routes themselves are found by routeRestate, without a router; a
// test holds the two together.
func ingressRoutes() []string {
	return []string{
		routeHealth, routeRestateCall, routeRestateSend, routeAwakeable, routeSignal, routeInvocation, routeIdempotent,
		routeWorkflow, routeTarget, routeLookup,
	}
}

// Patterns of the paths of the ingress.
const (
	routeHealth      = "/restate/health"
	routeRestateCall = "/restate/call/{service}[/{key}]/{handler}"
	routeRestateSend = "/restate/send/{service}[/{key}]/{handler}"
	routeAwakeable   = "/restate/awakeables/{id}/resolve|reject"
	routeSignal      = "/restate/signals/{invocation}/{name}/resolve|reject"
	routeInvocation  = "/restate/invocation/{id}/attach|output"
	routeIdempotent  = "/restate/invocation/{service}[/{key}]/{handler}/{idempotency-key}/attach|output"
	routeWorkflow    = "/restate/workflow/{name}/{key}/attach|output"
	routeTarget      = "/restate/attach|output[/{id}]"
	routeLookup      = "/restate/lookup"
	routeCall        = "/{service}[/{key}]/{handler}"
	routeSend        = "/{service}[/{key}]/{handler}/send"
	routeNone        = "none"
)

// noIngressRoute refuses a path under /restate.
func noIngressRoute() *failure {
	return notFound("no such route; under /restate there is " + strings.Join(ingressRoutes(), ", "))
}

// ingressRouteOf returns the pattern of a request, for metrics. It does not look
// whether there is such a service.
func ingressRouteOf(x *exchange) string {
	seg := &x.seg
	switch {
	case !x.formed || seg.part[0] == "openapi":
		return routeNone
	case seg.part[0] != "restate" && seg.n > minSegments && seg.part[seg.n-1] == "send":
		return routeSend
	case seg.part[0] != "restate":
		return routeCall
	}
	switch seg.part[1] {
	case "health":
		return routeHealth
	case "call":
		return routeRestateCall
	case "send":
		return routeRestateSend
	case "awakeables", "a":
		return routeAwakeable
	case "signals":
		return routeSignal
	case "invocation":
		if seg.n <= 4 {
			return routeInvocation
		}
		return routeIdempotent
	case "workflow":
		return routeWorkflow
	case "attach", "output":
		return routeTarget
	case "lookup":
		return routeLookup
	default:
		return routeNone
	}
}
