package objects

import (
	"testing"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

func TestASchemaIsMadeOncePerHandlerAndNeverForARequest(t *testing.T) {
	t.Parallel()
	made := 0
	codec := encoding.JSONCodecWithCustomSchemaGenerator(func(any) any { made++; return made })
	h := NewServiceHandler(echo, WithCodec(codec))
	def := NewService("S").Handler("h", h)
	def.ConfigureHandler("h", WithDocumentation("says it again"))
	bound := def.Handlers()["h"]
	if made != 0 {
		t.Errorf("%d schemas were made before anybody asked", made)
	}
	e := newEngine(t, bound)
	e.finish(0)
	if made != 0 {
		t.Errorf("a request made %d schemas", made)
	}
	for range 3 {
		if in, out := bound.InputPayload(), bound.OutputPayload(); in.JsonSchema != 1 || out.JsonSchema != 2 {
			t.Fatalf("input %v, output %v", in.JsonSchema, out.JsonSchema)
		}
	}
}
