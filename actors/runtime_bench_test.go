package actors

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/dormouse-run/dormouse/persistence"
)

// BenchmarkCall calls handlers that read and write one value, on many keys.
func BenchmarkCall(b *testing.B) {
	benchmarkCalls(b, func(caller int64) Request { return ask("Counter", fmt.Sprint(caller), "add", 1) })
}

// BenchmarkServiceCall calls handlers of a service, each of which has an actor of
// its own.
func BenchmarkServiceCall(b *testing.B) {
	benchmarkCalls(b, func(int64) Request { return ask("Echo", "", "echo", "x") })
}

// benchmarkCalls makes calls in parallel. Each caller repeats its request.
func benchmarkCalls(b *testing.B, request func(caller int64) Request) {
	for _, on := range []string{"memory", "badger"} {
		b.Run(on, func(b *testing.B) {
			store := persistence.NewMemory()
			if on == "badger" {
				var err error
				if store, err = persistence.Open(b.TempDir(), persistence.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			w := &world{}
			rt, err := Open(b.Context(), Options{Store: store, Services: w.services()})
			if err != nil {
				b.Fatal(err)
			}
			defer rt.Close()
			var n atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(128)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				r := request(n.Add(1))
				for pb.Next() {
					if _, err := rt.Call(b.Context(), r); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			s := rt.Stats()
			b.ReportMetric(float64(s.Ops)/float64(max(s.Commits, 1)), "ops/commit")
			b.ReportMetric(float64(s.Rows)/float64(b.N), "rows/call")
			b.ReportMetric(float64(s.Ops)/float64(b.N), "outputs/call")
			b.ReportMetric(float64(s.LiveActors), "actors")
		})
	}
}
