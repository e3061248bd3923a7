package httpapi

import (
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
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
	inFlight *prometheus.GaugeVec
}

// portSeries are the metrics of one port. To find a series by its labels takes
// longer than everything else about it, so those that were needed are kept.
type portSeries struct {
	inFlight prometheus.Gauge
	// known is replaced by a larger map under mu, and never changed.
	known atomic.Pointer[map[seriesKey]series]
	mu    sync.Mutex
}

// seriesKey tells the series of a port apart. Its values are from the lists that
// requests do not make longer.
type seriesKey struct {
	method, route string
	// status is that of an answer, its first digit, or 0: see statusOf.
	status int
}

// series is what one request is counted in.
type series struct {
	requests prometheus.Counter
	duration prometheus.Observer
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
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dormouse_http_requests_in_flight", Help: "Requests that are being served.",
		}, []string{"port"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, buildInfo(), newPortCollector(s), newRuntimeCollector(s.rt),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// of returns the series of a port, of which there are none yet.
func (m *metrics) of(p *port) *portSeries {
	s := &portSeries{inFlight: m.inFlight.WithLabelValues(p.name)}
	s.known.Store(&map[seriesKey]series{})
	return s
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

// leave counts a request that has ended.
func (m *metrics) leave(p *port, x *exchange, took time.Duration, err error) {
	p.series.inFlight.Dec()
	key := seriesKey{method: methodLabel(x.r.Method), route: p.route(x), status: statusOf(x.w.Status, err)}
	counted, known := (*p.series.known.Load())[key]
	if !known {
		counted = m.learn(p, key)
	}
	counted.requests.Inc()
	counted.duration.Observe(took.Seconds())
}

// learn finds a series and keeps it.
func (m *metrics) learn(p *port, key seriesKey) series {
	found := series{
		requests: m.requests.WithLabelValues(p.name, key.method, key.route, statusLabel(key.status)),
		duration: m.duration.WithLabelValues(p.name, key.route),
	}
	p.series.mu.Lock()
	defer p.series.mu.Unlock()
	more := maps.Clone(*p.series.known.Load())
	more[key] = found
	p.series.known.Store(&more)
	return found
}

// adminRouteOf names the pattern of the route that took a request, "none" when
// there was none.
func adminRouteOf(x *exchange) string {
	if path := x.c.Path(); path != "" && path != "/*" {
		return showPath(path)
	}
	return routeNone
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// statusOf is the status of an answer as metrics tell it, 0 when the connection
// was closed without one. A code that only a handler's own error can have counts
// by its first digit.
func statusOf(status int, err error) int {
	switch {
	case endsWithoutAnswer(err):
		return 0
	case http.StatusText(status) != "" || status == statusNotReady:
		return status
	default:
		return status / 100
	}
}

// statusLabel is the label of what statusOf returns.
func statusLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 10:
		return strconv.Itoa(status) + "xx"
	default:
		return strconv.Itoa(status)
	}
}
