package actors

import (
	"log/slog"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// BenchmarkStageRelease is a request that waits, and what follows the commit of the
// end of its call: the end is counted,
// who watches it is found and woken, and has the answer. The goroutine that would
// wake up is not part of it.
func BenchmarkStageRelease(b *testing.B) {
	rt, err := Open(b.Context(), Options{Store: persistence.NewMemory(), Services: new(world).services(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer rt.Close()
	target := ident.Target{Service: "Counter", Key: "some-key", Handler: "add", Kind: ident.KindExclusive}
	e := &entry{key: ident.ObjectKey{Service: target.Service, Key: target.Key}}
	id, result := ident.RandomID(target, 0, [16]byte{1}), journal.ValueOf([]byte("12345"))
	seq := ident.NewSeq(1, 1<<30)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		r := &request{wake: rt.sched.Signal()}
		token := rt.waiters.registerFor(e.key, r)
		rt.perform(&machine.Watch{Token: token, Birth: seq, ID: id}, e, seq)
		rt.perform(&machine.Finished{Birth: seq, ID: id, Result: result}, e, seq)
		r.wake.Wait()
		if a, err, over := r.result(); err != nil || !over || a.ID != id {
			b.Fatalf("answer %+v, %v, %t", a, err, over)
		}
	}
}
