package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

func countingServices() []objects.ServiceDefinition {
	// An input that describes nothing.
	add := func(_ objects.ObjectContext, n int) (int, error) { return n, nil }
	get := func(_ objects.ObjectSharedContext, _ objects.Void) (int, error) { return 0, nil }
	raw := func(_ objects.Context, b []byte) ([]byte, error) { return b, nil }
	run := func(_ objects.WorkflowContext, s string) (string, error) { return s, nil }
	plain := encoding.JSONCodecWithCustomSchemaGenerator(nil)
	return []objects.ServiceDefinition{
		objects.NewWorkflow("Wf", objects.WithWorkflowRetention(90*time.Second), objects.WithIngressPrivate(true)).
			Handler("run", objects.NewWorkflowHandler(run, objects.WithCodec(plain), objects.WithWorkflowRetention(0))),
		objects.NewObject("Counter").
			Handler("Get", objects.NewObjectSharedHandler(get, objects.WithCodec(plain), objects.WithDocumentation("Reads."), objects.WithMetadata("team", "blue"))).
			Handler("Add", objects.NewObjectHandler(add)),
		objects.NewService("Tools", objects.WithDocumentation("Tools."), objects.WithInvocationRetryPolicy(objects.WithMaxRetryAttempts(0), objects.KillOnMaxAttempts())).
			Handler("raw", objects.NewServiceHandler(raw, objects.WithBinary, objects.WithIngressPrivate(true), objects.WithInactivityTimeout(1500*time.Millisecond),
				objects.WithEnableLazyState(true), objects.WithInvocationRetryPolicy(objects.WithMaxRetryAttempts(3), objects.WithRetryIntervalFactor(1.5)))),
	}
}

func askServices(t *testing.T, target string) string {
	t.Helper()
	w := ask(testServer(t, &fakeRuntime{services: countingServices()}, Options{}).AdminHandler(), "GET", target, "")
	if w.Code != 200 || w.Header().Get("Content-Type") != asJSON {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return w.Body.String()
}

const (
	wantAdd = `{"name":"Add","ty":"Exclusive","public":true,"input_description":"application/json","output_description":"application/json",` +
		`"input_json_schema":SCHEMA,"output_json_schema":SCHEMA,"retry_policy":{"max_attempts":null}}`
	wantGet = `{"name":"Get","ty":"Shared","public":true,"documentation":"Reads.","metadata":{"team":"blue"},"input_description":"none","output_description":"application/json","retry_policy":{"max_attempts":null}}`
	wantRaw = `{"name":"raw","public":false,"inactivity_timeout":"1s 500ms","enable_lazy_state":true,"input_description":"none or application/octet-stream",` +
		`"output_description":"application/octet-stream","retry_policy":{"exponentiation_factor":1.5,"max_attempts":3}}`
	wantRun    = `{"name":"run","ty":"Workflow","public":false,"workflow_completion_retention":"0s","input_description":"application/json","output_description":"application/json","retry_policy":{"max_attempts":null}}`
	wantPolicy = `"retry_policy":{"initial_interval":"500ms","exponentiation_factor":2.0,"max_interval":"1m","max_attempts":70,"on_max_attempts":"Pause"}`
	wantTimes  = `"journal_retention":"24h","inactivity_timeout":"1m","abort_timeout":"10m","enable_lazy_state":false,`
)

func TestServicesAreShownWithEverythingThatApplies(t *testing.T) {
	t.Parallel()
	counter := `{"name":"Counter","ty":"VirtualObject","deployment_id":"ID","revision":1,"public":true,"idempotency_retention":"24h",` + wantTimes + wantPolicy +
		`,"handlers":[` + wantAdd + `,` + wantGet + `]}`
	tools := `{"name":"Tools","ty":"Service","deployment_id":"ID","revision":1,"public":true,"documentation":"Tools.","idempotency_retention":"24h",` + wantTimes +
		`"retry_policy":{"initial_interval":"500ms","exponentiation_factor":2.0,"max_interval":"1m","max_attempts":null,"on_max_attempts":"Kill"},"handlers":[` + wantRaw + `]}`
	wf := `{"name":"Wf","ty":"Workflow","deployment_id":"ID","revision":1,"public":false,"idempotency_retention":"24h","workflow_completion_retention":"1m 30s",` +
		wantTimes + wantPolicy + `,"handlers":[` + wantRun + `]}`
	id := deploymentID(countingServices())
	schema, err := encodeJSON(countingServices()[1].Handlers()["Add"].InputPayload().JsonSchema)
	if err != nil || len(id) != len("dp_1")+22 {
		t.Fatal(id, err)
	}
	fill := strings.NewReplacer("SCHEMA", string(schema), `"ID"`, `"`+id+`"`)
	for target, want := range map[string]string{
		"/services":                      `{"services":[` + counter + `,` + tools + `,` + wf + `]}`,
		"/services/Counter":              counter,
		"/services/Counter/handlers":     `{"handlers":[` + wantAdd + `,` + wantGet + `]}`,
		"/services/Counter/handlers/Get": wantGet,
		"/services/Tools/handlers/raw":   wantRaw,
	} {
		if got := askServices(t, target); got != fill.Replace(want) {
			t.Errorf("%s:\n%s\nwant\n%s", target, got, fill.Replace(want))
		}
	}
}

func TestWhatIsNotBoundIsAnsweredWithWhatIs(t *testing.T) {
	t.Parallel()
	h := testServer(t, &fakeRuntime{}, Options{}).AdminHandler()
	for target, want := range map[string]string{
		"/services/Nope":                                     "there is Greeter, Obj, Wf",
		"/services/obj/openapi":                              "names are case-sensitive, and there is 'Obj'",
		"/services/Obj/handlers/nope":                        "it has Add, Get, Hidden, send",
		"/services/" + strings.Repeat("x", 256):              "longer than 255 bytes",
		"/services/Obj/handlers/" + strings.Repeat("x", 256): "longer than 255 bytes",
	} {
		w := ask(h, "GET", target, "")
		if status := 404; w.Code != status && !strings.Contains(want, "longer") || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		checkAdminError(t, w)
	}
	none := testServer(t, &fakeRuntime{services: []objects.ServiceDefinition{}}, Options{}).AdminHandler()
	if w := ask(none, "GET", "/services", ""); w.Body.String() != `{"services":[]}` {
		t.Errorf("got %s", w.Body)
	}
	if w := ask(none, "GET", "/services/X", ""); w.Code != 404 || !strings.Contains(w.Body.String(), "binds none") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestTheDeploymentChangesWithTheHandlersAndNotWithTheirOrder(t *testing.T) {
	t.Parallel()
	defs := countingServices()
	if deploymentID(defs) != deploymentID([]objects.ServiceDefinition{defs[2], defs[0], defs[1]}) {
		t.Error("the order makes another deployment")
	}
	if deploymentID(defs) == deploymentID(defs[:2]) {
		t.Error("a service less is the same deployment")
	}
}

func TestDurationsAreWrittenInUnitsThatCanBeReadBack(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 24 * time.Hour: "24h", time.Minute: "1m", 500 * time.Millisecond: "500ms", 90 * time.Second: "1m 30s",
		25*time.Hour + 1: "25h 1ns", 1500 * time.Microsecond: "1ms 500us", -time.Second: "0s",
	} {
		got := formatDuration(d)
		back, err := parseDelay(got)
		if got != want || err != nil || back != max(d, 0) {
			t.Errorf("%d ns is %q and read back %v, %v; want %q", d, got, back, err, want)
		}
	}
}

func TestNumbersOfAPolicyKeepTheirFraction(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal([]decimal{2, 1.5, 0.25})
	if err != nil || string(b) != "[2.0,1.5,0.25]" {
		t.Errorf("got %s, %v", b, err)
	}
}
