package openapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/objects"
)

// tree leads back to itself; leaf is used by two payloads.
type tree struct {
	Leaf     leaf    `json:"leaf"`
	Children []*tree `json:"children"`
}

type leaf struct {
	Green bool `json:"green"`
}

func garden() objects.ServiceDefinition {
	// This one has the name of a type above, and looks different.
	type leaf struct{ Dry string }
	grow := func(_ objects.ObjectContext, t tree) (tree, error) { return t, nil }
	pick := func(_ objects.ObjectSharedContext, _ objects.Void) ([]*tree, error) { return nil, nil }
	rake := func(_ objects.ObjectContext, _ leaf) (objects.Void, error) { return objects.Void{}, nil }
	return objects.NewObject("Garden", objects.WithDocumentation("Grows.")).
		Handler("grow", objects.NewObjectHandler(grow, objects.WithDocumentation("Adds a tree."))).
		Handler("pick", objects.NewObjectSharedHandler(pick)).
		Handler("rake", objects.NewObjectHandler(rake)).
		Handler("burn", objects.NewObjectHandler(rake, objects.WithIngressPrivate(true)))
}

func gardenDocument(t *testing.T) (string, object) {
	t.Helper()
	return written(t, Document(garden(), Surroundings{Server: "http://127.0.0.1:8080", MaxKeyBytes: 1024}))
}

// written is a document as its readers get it.
func written(t *testing.T, document object) (text string, plain object) {
	t.Helper()
	b, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &plain); err != nil {
		t.Fatal(err)
	}
	return string(b), plain
}

func TestEveryReferenceOfADocumentLeadsSomewhere(t *testing.T) {
	t.Parallel()
	text, document := gardenDocument(t)
	refs := refsOf(document)
	for ref := range refs {
		var at any = document
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			members, _ := at.(object)
			at = members[part]
		}
		if _, ok := at.(object); !ok {
			t.Errorf("%s leads nowhere in %s", ref, text)
		}
	}
	if len(refs) < 5 {
		t.Errorf("only %v was found", refs)
	}
}

func TestADocumentHasOneSchemaForEachType(t *testing.T) {
	t.Parallel()
	text, document := gardenDocument(t)
	schemas := document["components"].(object)["schemas"].(object)
	if got := slices.Sorted(maps.Keys(schemas)); !slices.Equal(got, []string{"IngressAccepted", "IngressFailure", "leaf", "leaf.2", "tree"}) {
		t.Errorf("schemas %v", got)
	}
	for _, not := range []string{`"$defs"`, `"$id"`, `"$schema"`, "#/$defs"} {
		if strings.Contains(text, not) {
			t.Errorf("%s is in %s", not, text)
		}
	}
}

func TestADocumentSaysWhatTheDefinitionSays(t *testing.T) {
	t.Parallel()
	text, document := gardenDocument(t)
	for _, want := range []string{`"openapi":"3.1.0"`, `"description":"Grows."`, `"description":"Adds a tree."`, `"idempotency-key"`, `"delay"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	want := []string{
		"/Garden/{key}/grow", "/Garden/{key}/grow/send", "/Garden/{key}/pick", "/Garden/{key}/pick/send", "/Garden/{key}/rake", "/Garden/{key}/rake/send",
		"/restate/awakeables/{awakeableId}/reject", "/restate/awakeables/{awakeableId}/resolve",
	}
	for _, handler := range []string{"grow", "pick", "rake"} {
		want = append(want, "/restate/invocation/Garden/{key}/"+handler+"/{idempotencyKey}/attach", "/restate/invocation/Garden/{key}/"+handler+"/{idempotencyKey}/output")
	}
	want = append(want, "/restate/invocation/{invocationId}/attach", "/restate/invocation/{invocationId}/output")
	if got := slices.Sorted(maps.Keys(document["paths"].(object))); !slices.Equal(got, want) {
		t.Errorf("paths\n%v\nwant\n%v", got, want)
	}
	if again, _ := gardenDocument(t); again != text {
		t.Error("the document is not the same each time")
	}
}

func TestSchemasOfAllKindsFindTheirPlaceInADocument(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, schema, want, components string }{
		{"a plain one stays where it is", `{"type":"integer","$schema":"x","$id":"y"}`, `{"type":"integer"}`, `{}`},
		{"true", `true`, `true`, `{}`},
		{"no schema", `"text"`, `{}`, `{}`},
		{"a root that refers to itself", `{"items":{"$ref":"#"}}`, `{"$ref":"#/components/schemas/In"}`, `{"In":{"items":{"$ref":"#/components/schemas/In"}}}`},
		{"a pointer below the root", `{"properties":{"a":{"type":"string"},"b":{"$ref":"#/properties/a"}}}`, `{"$ref":"#/components/schemas/In"}`,
			`{"In":{"properties":{"a":{"type":"string"},"b":{"$ref":"#/components/schemas/In/properties/a"}}}}`},
		{"a definition with an odd name", `{"$ref":"#/$defs/a~1b%20c","$defs":{"a/b c":{"type":"null"}}}`, `{"$ref":"#/components/schemas/a_b_c"}`, `{"a_b_c":{"type":"null"}}`},
		{"a reference to nothing", `{"$ref":"#/$defs/gone","title":"t"}`, `{"title":"t"}`, `{}`},
		{"a reference to elsewhere", `{"$ref":"https://example.org/s"}`, `{"$ref":"https://example.org/s"}`, `{}`},
		{"data that looks like one", `{"const":{"$ref":"#/$defs/x"},"properties":{"$ref":{"type":"string"}}}`, `{"const":{"$ref":"#/$defs/x"},"properties":{"$ref":{"type":"string"}}}`, `{}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSchemaSet()
			got, err := json.Marshal(s.add("In", json.RawMessage(row.schema)))
			if err != nil || string(got) != row.want {
				t.Errorf("got %s, %v, want %s", got, err, row.want)
			}
			if components, err := json.Marshal(s.components); err != nil || string(components) != row.components {
				t.Errorf("components %s, %v, want %s", components, err, row.components)
			}
		})
	}
}

func TestADocumentSaysWhichRequestsNeedAToken(t *testing.T) {
	t.Parallel()
	const token = `[{"token":[]}]`
	for _, row := range []struct {
		ingress, awakeables   bool
		whole, resolve, named string
	}{
		{false, false, "null", "null", "null"},
		{true, true, token, "null", `"bearer"`},
		{true, false, token, "[]", `"bearer"`},
		{false, true, "null", token, `"bearer"`},
	} {
		_, d := written(t, Document(garden(), Surroundings{IngressTokens: row.ingress, AwakeableTokens: row.awakeables}))
		resolve := d["paths"].(object)["/restate/awakeables/{awakeableId}/resolve"].(object)["post"].(object)
		schemes, _ := d["components"].(object)["securitySchemes"].(object)
		scheme, _ := schemes["token"].(object)
		for i, v := range []any{d["security"], resolve["security"], scheme["scheme"]} {
			want := []string{row.whole, row.resolve, row.named}[i]
			if got, err := json.Marshal(v); err != nil || string(got) != want {
				t.Errorf("tokens of the ingress %t, of awakeables %t: %d is %s, %v, want %s", row.ingress, row.awakeables, i, got, err, want)
			}
		}
	}
}
