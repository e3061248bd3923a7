package httpapi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// The files surface_*_test.go hold the whole surface of the ingress to what
// docs/http.md promises: a table for each topic, of which each row names the
// promises that it shows. testdata/surface.txt is the list of promises.

// row is one request and what it gets, or a story of several.
type row struct {
	// shows names promises of testdata/surface.txt, separated by blanks.
	shows string
	// ask is method and target, for example "POST /Obj/k/Add".
	ask  string
	body string
	// headers are pairs; a body has the type JSON unless they say otherwise.
	headers []string
	status  int
	// text is part of the body, or with a leading "=" all of it.
	text string
	// has are pairs of response headers: "" says absent, "*" any value.
	has []string
	// story replaces the request.
	story func(t *testing.T, s *stage)
}

// stage is a house that is asked in one version of the protocol.
type stage struct {
	*house
	t *testing.T
	l ledger
	// data is the directory of a store on disk, "" in memory.
	data string
	gate *gate
	// major is the version of HTTP that answers must have.
	major int
}

// topic is a table and the house in which its rows are shown, in order.
type topic struct {
	name    string
	rows    []row
	onDisk  bool
	options actors.Options
}

// topics returns all tables.
func topics() []topic {
	return []topic{
		{name: "transport", rows: transportRows(), options: actors.Options{MaxPayload: 64 << 10}},
		{name: "paths", rows: pathRows()},
		{name: "limits", rows: limitRows()},
		{name: "headers", rows: headerRows()},
		{name: "errors", rows: errorRows()},
		{name: "calls", rows: callRows(), options: actors.Options{MaxPayload: 64 << 10}},
		{name: "order", rows: orderRows(), options: actors.Options{MaxPayload: 16}},
		{name: "idempotency", rows: idempotencyRows(), onDisk: true},
		{name: "sends", rows: sendRows(), onDisk: true},
		{name: "delays", rows: delayRows()},
		{name: "results", rows: resultRows(), options: actors.Options{InactivityTimeout: 20 * time.Millisecond}},
		{name: "targets", rows: targetRows()},
		{name: "workflows", rows: workflowRows(), onDisk: true},
		{name: "awakeables", rows: awakeableRows(), onDisk: true, options: actors.Options{MaxPayload: 64 << 10, InactivityTimeout: 20 * time.Millisecond}},
		{name: "signals", rows: signalRows()},
		{name: "ids", rows: idRows()},
		{name: "better", rows: betterRows()},
	}
}

func TestTheSurfaceIsAsTheContractHasIt(t *testing.T) {
	t.Parallel()
	for _, topic := range topics() {
		for _, major := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/HTTP %d", topic.name, major), func(t *testing.T) {
				t.Parallel()
				s := openStage(t, topic, major)
				for n, r := range topic.rows {
					t.Run(fmt.Sprintf("%d %s", n, r.shows), func(t *testing.T) { s.show(t, r) })
				}
			})
		}
	}
}

// openStage opens a house for one table and one version of the protocol.
func openStage(t *testing.T, of topic, major int) *stage {
	t.Helper()
	dir := t.TempDir()
	s := &stage{t: t, l: ledger(filepath.Join(dir, "ledger")), gate: newGate(), major: major}
	store := persistence.NewMemory()
	if of.onDisk {
		s.data = filepath.Join(dir, "data")
		var err error
		if store, err = persistence.Open(s.data, persistence.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
	}
	o := of.options
	o.Services, o.Logger = surfaceServices(s.gate), slog.New(slog.DiscardHandler)
	s.house = openHouseOn(t, store, o)
	s.client = newSurfaceClient(t, major)
	t.Cleanup(s.gate.openAll)
	return s
}

// newSurfaceClient returns a client that speaks one version of HTTP without
// TLS, and follows no redirects.
func newSurfaceClient(t *testing.T, major int) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(major == 1)
	protocols.SetUnencryptedHTTP2(major == 2)
	transport := &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// show asks what a row says and compares.
func (s *stage) show(t *testing.T, r row) {
	t.Helper()
	s.t, s.house.t = t, t
	if r.story != nil {
		r.story(t, s)
		return
	}
	got := s.do(r.ask, r.body, r.headers...)
	check(t, r, got)
}

// do sends a request; ask is method and target.
func (s *stage) do(ask, body string, headers ...string) reply {
	s.t.Helper()
	method, target, _ := strings.Cut(ask, " ")
	got := s.ask(method, target, body, headers...)
	if got.status == 0 {
		s.t.Fatalf("%s: %v", ask, got)
	}
	obeys(s.t, method, got)
	return got
}

// ask is do for a request that may get no answer.
func (s *stage) ask(method, target, body string, headers ...string) reply {
	return ask(s.client, method, s.ingress+target, body, headers...)
}

// check compares an answer with a row.
func check(t *testing.T, r row, got reply) {
	t.Helper()
	if got.status != r.status {
		t.Fatalf("%s: got %v, want %d", r.ask, got, r.status)
	}
	if all, exact := strings.CutPrefix(r.text, "="); exact && got.body != all || !exact && !strings.Contains(got.body, r.text) {
		t.Errorf("%s: the body is %s, want %s", r.ask, got.body, r.text)
	}
	for i := 0; i+1 < len(r.has); i += 2 {
		value := got.header.Get(r.has[i])
		if want := r.has[i+1]; value != want && (want != "*" || value == "") {
			t.Errorf("%s: the header %s is %q, want %q", r.ask, r.has[i], value, want)
		}
	}
}

// errorShape is the body of every error, field by field.
var errorShape = regexp.MustCompile(`^\{"code":\d+,"message":"(\\.|[^"\\])*"(,"stacktrace":"(\\.|[^"\\])*")?(,"metadata":\{.*\})?,"source":"(ingress|invocation)"\}$`)

// obeys holds an answer to what is true of all.
func obeys(t *testing.T, method string, got reply) {
	t.Helper()
	source := got.header.Get("X-Restate-Error-Source")
	switch {
	case got.header.Get("X-Request-Id") == "":
		t.Errorf("an answer without a request id: %v", got)
	case got.status < 400 && source == "":
		return
	case source != "ingress" && source != "invocation":
		t.Errorf("an error whose source is %q: %v", source, got)
	case source == "ingress" && got.header.Get("X-Restate-Id") != "":
		t.Errorf("an error of the ingress that names an invocation: %v", got)
	case method == http.MethodHead:
		return
	case got.header.Get("Content-Type") != "application/json" || !errorShape.MatchString(got.body) || !json.Valid([]byte(got.body)):
		t.Errorf("an error that is no JSON of errors: %v", got)
	case !strings.HasSuffix(got.body, `"source":"`+source+`"}`):
		t.Errorf("the body contradicts the source %q: %v", source, got)
	}
}

// TestEveryPromiseOfTheSurfaceIsShown compares the list of promises with what
// the rows say that they show.
func TestEveryPromiseOfTheSurfaceIsShown(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/surface.txt")
	if err != nil {
		t.Fatal(err)
	}
	promised := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, text, ok := strings.Cut(line, " ")
		if !ok || strings.TrimSpace(text) == "" || promised[id] {
			t.Errorf("the line %q has no text, or its id is taken", line)
		}
		promised[id] = true
	}
	shown := map[string]bool{}
	for _, topic := range topics() {
		for _, r := range topic.rows {
			for _, id := range strings.Fields(r.shows) {
				shown[id] = true
			}
			if r.shows == "" {
				t.Errorf("%s: the row %s shows nothing", topic.name, r.ask)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(promised)) {
		if !shown[id] {
			t.Errorf("no row shows the promise %s", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(shown)) {
		if !promised[id] {
			t.Errorf("a row shows %s, which nobody promises", id)
		}
	}
}
