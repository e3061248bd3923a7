package httpapi

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dormouse-run/dormouse/actors"
)

// measured is what the metrics need of *actors.Runtime.
type measured interface {
	Stats() actors.Stats
	Metrics() actors.Metrics
}

// metrics are those of one Server, in a registry of their own: two servers in a
// process do not know each other. The values of all labels are from lists that
// requests do not make longer.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight map[string]prometheus.Gauge // by port; never changed
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dormouse_http_requests_total", Help: "Requests that have ended.",
		}, []string{"port", "method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dormouse_http_request_duration_seconds", Help: "Time from the headers of a request to the end of its answer; a call may wait for days.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600},
		}, []string{"port", "route"}),
		inFlight: map[string]prometheus.Gauge{},
	}
	inFlight := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "dormouse_http_requests_in_flight", Help: "Requests that are being served.",
	}, []string{"port"})
	m.registry.MustRegister(m.requests, m.duration, inFlight, buildInfo(), newPortCollector(s), newRuntimeCollector(s.rt),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, name := range portNames() {
		m.inFlight[name] = inFlight.WithLabelValues(name)
	}
	return m
}

// buildInfo is a gauge of 1 that says what runs.
func buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": Version, "go_version": "", "revision": ""}
	if info, ok := debug.ReadBuildInfo(); ok {
		labels["go_version"] = info.GoVersion
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				labels["revision"] = setting.Value
			}
		}
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dormouse_build_info", Help: "The version of Dormouse, of Go, and of the sources of the program.", ConstLabels: labels,
	}, func() float64 { return 1 })
}

// metricsRoute serves GET /metrics.
func (s *Server) metricsRoute(e *echo.Echo) {
	serve := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	})
	e.GET("/metrics", func(c echo.Context) error {
		_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(2 * s.opts.TransferTimeout))
		serve.ServeHTTP(c.Response(), c.Request())
		return nil
	}, bare)
}

// enter counts a request that begins.
func (m *metrics) enter(p port) { m.inFlight[p.name].Inc() }

// leave counts a request that has ended.
func (m *metrics) leave(p port, c echo.Context, took time.Duration, err error) {
	m.inFlight[p.name].Dec()
	route := routeLabel(p, c)
	m.requests.WithLabelValues(p.name, methodLabel(c.Request().Method), route, statusLabel(c.Response().Status, err)).Inc()
	m.duration.WithLabelValues(p.name, route).Observe(took.Seconds())
}

// routeLabel names the pattern of the route that took a request, "none" when
// there was none.
func routeLabel(p port, c echo.Context) string {
	if p.name == "ingress" {
		path, _ := rawPath(c.Request())
		return ingressRoute(path)
	}
	if path := c.Path(); path != "" && path != "/*" {
		return showPath(path)
	}
	return "none"
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// statusLabel is the status of an answer, "none" when the connection was closed
// without one. A code that only a handler's own error can have is given by its
// first digit.
func statusLabel(status int, err error) string {
	switch {
	case endsWithoutAnswer(err):
		return "none"
	case http.StatusText(status) != "" || status == statusNotReady:
		return strconv.Itoa(status)
	default:
		return strconv.Itoa(status/100) + "xx"
	}
}
