package actors

import (
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// seal is an object whose values are raw bytes.
type seal struct{}

func (seal) Press(_ restate.ObjectContext, wax []byte) ([]byte, error) { return append(wax, 0xff), nil }

func (seal) Twice(ctx restate.ObjectSharedContext, wax []byte) ([]byte, error) {
	once, err := restate.Call(ctx, restate.On[seal](restate.Key(ctx)), seal.Press, wax)
	if err != nil {
		return nil, err
	}
	return restate.Call(ctx, restate.On[seal]("other"), seal.Press, once)
}

// TestTypedCallsUseTheCodecsOfWhatIsBound, from handlers and in the same process,
// also under another name. JSON would not decode the bytes.
func TestTypedCallsUseTheCodecsOfWhatIsBound(t *testing.T) {
	t.Parallel()
	for name, def := range map[string]restate.ServiceDefinition{
		"reflected": restate.Reflect(seal{}, restate.WithBinary),
		"renamed": restate.NewObject("seal", restate.WithBinary).
			Handler("press", restate.NewObjectHandler(seal{}.Press)).
			Handler("twice", restate.NewObjectSharedHandler(seal{}.Twice)),
	} {
		inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
			wax, err := ingress.Call(t.Context(), b.rt.Client(), restate.On[seal]("k"), seal.Twice, []byte{0xfe})
			if string(wax) != "\xfe\xff\xff" || err != nil {
				t.Errorf("%s: %q, %v", name, wax, err)
			}
		})
	}
}
