package ident

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	randomInputs = flag.Int("ident.inputs", 5000, "random texts that are read as ids")
	randomSeed   = flag.Uint64("ident.seed", 0, "seed of random texts; 0 takes one from the clock")
)

// TestRandomTextsAreReadStrictly damages ids in one or two places: what is
// read is written as it was.
func TestRandomTextsAreReadStrictly(t *testing.T) {
	t.Parallel()
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -ident.seed=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	accepted := 0
	for range *randomInputs {
		var id InvocationID
		for i := range id {
			id[i] = byte(r.IntN(256)) & byte(r.IntN(256)|-r.IntN(2))
		}
		invocation, awakeable := id.String(), AwakeableID{Invocation: id, Index: r.Uint32()}.String()
		for _, text := range []string{invocation, awakeable} {
			damaged := []byte(text)
			for range r.IntN(3) {
				damaged[r.IntN(len(damaged))] = "0aZz9_-=+/\n\xff"[r.IntN(12)]
			}
			if got, err := ParseInvocationID(string(damaged)); err == nil {
				accepted++
				if got.String() != string(damaged) {
					t.Fatalf("%q is read as %s", damaged, got)
				}
			}
			if got, err := ParseAwakeableID(string(damaged)); err == nil {
				accepted++
				if got.String() != string(damaged) || got.Index < FirstAwakeable {
					t.Fatalf("%q is read as %s", damaged, got)
				}
			}
		}
		if got, err := ParseInvocationID(invocation); err != nil || got != id {
			t.Fatalf("%s is read as %v: %v", invocation, got, err)
		}
	}
	if accepted == 0 {
		t.Error("no text was an id")
	}
}
