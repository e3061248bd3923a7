package machine

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// keyedCall is the life of a call that sets one value: the events that the shell
// applies, for one key.
type keyedCall struct {
	object *Object
	target ident.Target
	seq    uint64
	out    Output
	writes int
}

func newKeyedCall(b *testing.B) *keyedCall {
	target := ident.Target{Service: "Counter", Key: "some-key", Handler: "add", Kind: ident.KindExclusive}
	c := &keyedCall{target: target, object: New(ident.KeyPartitionKey(target.Key).Partition(), ident.ObjectKey{Service: target.Service, Key: target.Key})}
	c.call(b)
	return c
}

// apply applies an event; the store is empty.
func (c *keyedCall) apply(b *testing.B, ev Event) {
	c.seq++
	at := Stamp{Seq: ident.NewSeq(1, c.seq), Now: 1_800_000_000_000}
	c.object.Settle(ident.NewSeq(1, c.seq-1))
	for {
		c.out.Reset(at.Seq)
		needs := c.object.Apply(at, ev, &c.out)
		if len(needs) == 0 {
			c.writes += len(c.out.Writes)
			return
		}
		for _, n := range needs {
			if err := c.object.Loaded(n, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func (c *keyedCall) call(b *testing.B) {
	var random [16]byte
	for i := range 8 {
		random[i] = byte(c.seq >> (8 * i))
	}
	const day = 24 * 3_600_000
	c.apply(b, &Invoke{
		Token: 1, ID: ident.RandomID(c.target, 0, random), Target: c.target, Value: []byte("1"),
		InvokedBy: ByIngress, Retention: Retention{Completion: day, Journal: day},
	})
	var start *StartAttempt
	for _, ef := range c.out.Now {
		if s, ok := ef.(*StartAttempt); ok {
			start = s
		}
	}
	if start == nil {
		b.Fatal("the invocation is not started")
	}
	end := &Append{Birth: start.Birth, Epoch: start.Epoch, Ended: true}
	for _, cmd := range []journal.Command{&journal.SetState{Key: "n", Value: []byte("12345")}, &journal.Output{Result: journal.ValueOf([]byte("12345"))}} {
		end.Proposals = append(end.Proposals, Proposal{Entry: journal.NewEntry(cmd, 1_800_000_000_000, journal.Sidecar{}), Parsed: cmd})
	}
	c.apply(b, end)
}

// BenchmarkStageApply is the part of the core in a call of a keyed handler: its
// acceptance, and its end.
func BenchmarkStageApply(b *testing.B) {
	c := newKeyedCall(b)
	c.writes = 0
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		c.call(b)
		n++
	}
	b.ReportMetric(float64(c.writes)/float64(n), "rows/call")
}
