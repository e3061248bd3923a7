package objects

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// BenchmarkStageExecute is an attempt of a handler that reads and writes a value:
// from the decoding of its input to the encoding of its output, with the host of
// the tests, which appends commands to a slice.
func BenchmarkStageExecute(b *testing.B) {
	e := &engine{state: map[string][]byte{}}
	h := NewObjectHandler(func(ctx ObjectContext, d int) (int, error) {
		n, err := Get[int](ctx, "n")
		if err != nil {
			return 0, err
		}
		Set(ctx, "n", n+d)
		return n + d, nil
	})
	a := &Attempt{Target: ident.Target{Service: "Counter", Key: "some-key", Handler: "add", Kind: ident.KindExclusive}, StateComplete: true}
	a.Journal = []journal.Entry{journal.NewEntry(&journal.Input{Value: []byte("1")}, 0, journal.Sidecar{})}
	b.ReportAllocs()
	for b.Loop() {
		e.journal = e.journal[:0]
		ended := make(chan Outcome, 1)
		go Execute(e, a, h, func(o Outcome) { ended <- o })
		if o := <-ended; o.Kind != OutcomeEnded || len(e.journal) != 3 { // Get, Set, Output
			b.Fatalf("%+v after %d commands", o, len(e.journal))
		}
	}
}
