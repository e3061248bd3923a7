package httpapi

import (
	"strings"
	"testing"
)

func TestStatsAndMetricsCountTheSame(t *testing.T) {
	t.Parallel()
	s := testServer(t, panicking(), Options{Safety: Safety{IngressTokens: Tokens{List: []string{"secret"}}}})
	s.slots.limit = 1
	in, admin := s.IngressHandler(), s.AdminHandler()
	ask(in, "GET", callPath, "")
	ask(in, "GET", callPath, "", "Authorization", "Bearer wrong")
	ask(in, "GET", callPath, "", "Authorization", "Bearer secret", "Sec-Fetch-Site", "cross-site")
	ask(in, "GET", callPath, "", "Authorization", "Bearer secret") // panics
	taken, _ := s.slots.take()
	ask(in, "GET", callPath, "", "Authorization", "Bearer secret")
	ask(admin, "GET", "/version", "", "Sec-Fetch-Site", "cross-site")
	metrics := ask(admin, "GET", "/metrics", "").Body.String()
	taken.free()

	if got, want := s.Stats(), (Stats{Panics: 1, Unauthorized: 2, Forbidden: 2, Refused: 1}); got != want {
		t.Errorf("stats are %+v, want %+v", got, want)
	}
	for _, line := range []string{
		`dormouse_http_panics_total{port="admin"} 0`,
		`dormouse_http_panics_total{port="ingress"} 1`,
		`dormouse_http_refused_total{port="ingress",reason="unauthorized"} 2`,
		`dormouse_http_refused_total{port="ingress",reason="forbidden"} 1`,
		`dormouse_http_refused_total{port="ingress",reason="overload"} 1`,
		`dormouse_http_refused_total{port="admin",reason="forbidden"} 1`,
		`dormouse_http_connections{port="ingress"} 0`,
		`dormouse_http_requests_bounded 1`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, metrics)
		}
	}
}
