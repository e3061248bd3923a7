package actors

import (
	"fmt"
	"sync/atomic"
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
)

// BenchmarkCallBetweenKeys calls one object from another: with keys of their own
// the call never queues, with one key for all nearly always. It reports what the
// detector of deadlocks reads for it.
func BenchmarkCallBetweenKeys(b *testing.B) {
	for _, keys := range []int64{1, 1 << 30} {
		b.Run(fmt.Sprintf("keys=%d", min(keys, 128)), func(b *testing.B) {
			w := &world{}
			front := restate.NewService("Front").Handler("add", restate.NewServiceHandler(func(ctx restate.Context, key string) (int, error) {
				return restate.Object[int](ctx, "Counter", key, "add").Request(1)
			}))
			rt, err := Open(b.Context(), Options{Services: append(w.services(), front)})
			if err != nil {
				b.Fatal(err)
			}
			defer rt.Close()
			var n atomic.Int64
			b.SetParallelism(64)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				key := fmt.Sprint(n.Add(1) % keys)
				for pb.Next() {
					if _, err := rt.Call(b.Context(), ask("Front", "", "add", key)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(rt.deadlocks.reads.Load())/float64(b.N), "reads/call")
		})
	}
}
