package ident

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// math/big has the same digits.
func TestBase62IsThatOfBigIntegers(t *testing.T) {
	t.Parallel()
	source := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		block := make([]byte, 1+i%16)
		for j := range block {
			block[j] = byte(source.Uint64())
			if source.IntN(8) == 0 {
				block[j] = 0xFF * byte(source.IntN(2))
			}
		}
		bigEndian := slices.Clone(block)
		slices.Reverse(bigEndian)
		want := fmt.Sprintf("%022s", new(big.Int).SetBytes(bigEndian).Text(62))
		got := make([]byte, 22)
		putBase62(got, block)
		if string(got) != want {
			t.Fatalf("%x is written %s, want %s", block, got, want)
		}
		back := make([]byte, len(block))
		if !readBase62(back, want) || !slices.Equal(back, block) {
			t.Fatalf("%s is read as %x, want %x", want, back, block)
		}
	}
}
