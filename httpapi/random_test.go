package httpapi

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	randomInputs = flag.Int("http.inputs", 5000, "random inputs for each parser and for the ingress")
	randomSeed   = flag.Uint64("http.seed", 0, "seed of random inputs; 0 takes one from the clock")
)

// NewRandom returns a source of random inputs and how many to make. The seed
// is in the log of a test that fails.
func NewRandom(t *testing.T) (*rand.Rand, int) {
	t.Helper()
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -http.seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 1)), *randomInputs
}

// special are bytes that mean something to one of the parsers.
const special = "/%\"\\+.-,:;?{}= \x00\xff"

// Mutate returns a seed that was cut, joined with others and damaged a little.
func Mutate(r *rand.Rand, seeds []string) string {
	s := seeds[r.IntN(len(seeds))]
	for range r.IntN(4) {
		other := seeds[r.IntN(len(seeds))]
		at := r.IntN(len(s) + 1)
		switch r.IntN(6) {
		case 0:
			s = s[:at] + other[r.IntN(len(other)+1):]
		case 1:
			s = s[:at] + string([]byte{byte(r.IntN(256))}) + s[at:]
		case 2:
			i := r.IntN(len(special))
			s = s[:at] + special[i:i+1] + s[at:]
		case 3:
			s = strings.ToUpper(s[:at]) + s[at:]
		case 4:
			s = s[:at] + strings.Repeat(s[at:], r.IntN(3))
		case 5:
			s = s[:at] + other + s[at:]
		}
		s = s[:min(len(s), 4096)]
	}
	return s
}

// TestRandomInputsOfParsersAreReadOrRefused runs what the fuzz targets check
// with inputs that differ each time.
func TestRandomInputsOfParsersAreReadOrRefused(t *testing.T) {
	t.Parallel()
	properties := map[string]struct {
		seeds []string
		holds func(*testing.T, string)
	}{
		"delays":  {[]string{"10s", "1h 30m", "PT1H30M", "P1DT0.5S", "1.5hours", "2 weeks", "9223372036854775807ns", "P106751D", "7µs", "-", "PT0,5S"}, delayIsSound},
		"paths":   {[]string{"/Obj/k/Add", "/restate/call/Greeter/Greet", "/Obj//Add/send", "/a/b/c/d/e/f/g", "//", "/%2F/"}, splitIsSound},
		"keys":    {[]string{"key", "a%2Fb", "%ff", "%e2%82%ac", "a+b", strings.Repeat("%41", 400)}, keyIsSound},
		"queries": {[]string{"delay=10s", "DELAY=1h+30m", "&&=&", "limit-key=a", "a=%zz", "d%65lay=1s"}, queryIsSound},
		"targets": {targetSeeds(), targetIsSound},
		"headers": {[]string{"X-Custom", "Idempotency-Key", "Content-Type", "x", "\x01"}, func(t *testing.T, s string) { headersAreSound(t, s, s) }},
	}
	for name, p := range properties {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, n := NewRandom(t)
			for range n {
				if p.holds(t, Mutate(r, p.seeds)); t.Failed() {
					return
				}
			}
		})
	}
}
