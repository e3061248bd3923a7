package generate_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/restatedev/sdk-go/x/protoc-gen-go-restate/internal/generate"
)

func shop(t *testing.T) protos { return withOptions(t, "shop.proto", read(t, "testdata/shop.proto")) }

func TestAServiceOfEachKindIsGeneratedAsWritten(t *testing.T) {
	t.Parallel()
	text, err := generated(t, shop(t).request(t, "shop.proto", "paths=source_relative"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, text, "testdata/shop_restate.pb.go.txt")
}

func TestTheTypesOfTheOptionsAreThoseOfTheirProto(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles protoc-gen-go: not with -short")
	}
	r := protos{optionsPath: read(t, "../../proto", optionsPath)}.request(t, optionsPath, "paths=source_relative")
	expect(t, messages(t, r), "../../generated/dev/restate/sdk/go.pb.go")
}

func TestTheOptionsAreFoundUnderAnyNumber(t *testing.T) {
	t.Parallel()
	other := shop(t)
	other[optionsPath] = strings.NewReplacer("2051", "50777", "SHARED = 2", "SHARED = 12").Replace(other[optionsPath])
	text, err := generated(t, other.request(t, "shop.proto", "paths=source_relative"))
	if err != nil {
		t.Fatal(err)
	}
	if text != read(t, "testdata/shop_restate.pb.go.txt") {
		t.Errorf("generated is\n%s", text)
	}
}

func TestAFileWithoutServicesGivesNoFile(t *testing.T) {
	t.Parallel()
	const text = "syntax = \"proto3\";\noption go_package = \"example.com/x\";\nmessage M {}\n"
	plugin, err := protogen.Options{}.New(protos{"m.proto": text}.request(t, "m.proto", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := generate.Files(plugin); err != nil || len(plugin.Response().File) != 0 {
		t.Errorf("%d files, %v", len(plugin.Response().File), err)
	}
}

func TestServicesWithoutOptionsArePlain(t *testing.T) {
	t.Parallel()
	const text = "edition = \"2023\";\noption go_package = \"example.com/x\";\nmessage M {}\nservice S { rpc Do(M) returns (M); }\n"
	got, err := generated(t, protos{"s.proto": text}.request(t, "s.proto", ""))
	if err != nil || !strings.Contains(got, `NewService("S"`) {
		t.Errorf("generated is\n%s, %v", got, err)
	}
}

func TestAWorkflowRunsTheMethodNamedRun(t *testing.T) {
	t.Parallel()
	got, err := generated(t, service(t, "WORKFLOW", "rpc Look(M) returns (M); rpc Run(M) returns (M);"))
	if err != nil || !strings.Contains(got, "NewWorkflowHandler(srv.Run)") || !strings.Contains(got, "NewWorkflowSharedHandler(srv.Look)") {
		t.Errorf("generated is\n%s, %v", got, err)
	}
}

func TestWhatCannotWorkIsRefusedWithItsName(t *testing.T) {
	t.Parallel()
	const shared, exclusive, run = " { option (dev.restate.sdk.go.handler_type) = SHARED; }",
		" { option (dev.restate.sdk.go.handler_type) = EXCLUSIVE; }", " { option (dev.restate.sdk.go.handler_type) = WORKFLOW_RUN; }"
	for _, row := range []struct{ typ, methods, want string }{
		{"SERVICE", "rpc Do(M) returns (M)" + shared, "s.proto: x.S.Do: handler_type SHARED does not fit: the handlers of a SERVICE have no type"},
		{"VIRTUAL_OBJECT", "rpc Do(M) returns (M)" + run, "x.S.Do: handler_type WORKFLOW_RUN does not fit: a VIRTUAL_OBJECT has"},
		{"WORKFLOW", "rpc Run(M) returns (M); rpc Do(M) returns (M)" + exclusive, "x.S.Do: handler_type EXCLUSIVE does not fit: a WORKFLOW has one"},
		{"WORKFLOW", "rpc Do(M) returns (M);", "x.S: the workflow has no run handler: set handler_type"},
		{"WORKFLOW", "rpc Run(M) returns (M)" + shared, "x.S: the workflow has no run handler"},
		{"WORKFLOW", "rpc A(M) returns (M)" + run + " rpc B(M) returns (M)" + run, "x.S: A and B are both run handlers"},
		{"SERVICE", "rpc Do(stream M) returns (M);", "x.S.Do: handlers have one input and one output"},
		{"SERVICE", "rpc Do(M) returns (stream M);", "x.S.Do: handlers have one input and one output"},
	} {
		if _, err := generated(t, service(t, row.typ, row.methods)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s with %s gives %v, want %q", row.typ, row.methods, err, row.want)
		}
	}
}

func TestAServiceTypeThatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	later := service(t, "AGENT", "rpc Do(M) returns (M);")
	if _, err := generated(t, later); err == nil || !strings.Contains(err.Error(), "x.S: service_type AGENT is not known: use SERVICE") {
		t.Errorf("got %v", err)
	}
}
