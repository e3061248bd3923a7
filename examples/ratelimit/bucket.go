package main

import "time"

// bucket is a token bucket. It is full at first: the zero value of Filled lies
// long ago.
type bucket struct {
	// Size is how many tokens fit.
	Size int `json:"size"`
	// Refill is the time in which one token comes.
	Refill time.Duration `json:"refill"`
	// Tokens were there at the time Filled. What of the time since then makes
	// no whole token is kept by Filled, so nothing is lost by rounding.
	Tokens int       `json:"tokens"`
	Filled time.Time `json:"filled"`
}

// fill adds the tokens that have come until now.
func (b *bucket) fill(now time.Time) {
	come := int64(now.Sub(b.Filled) / b.Refill)
	switch {
	case now.Before(b.Filled):
		// The clock has stepped back. That fills nothing, and the bucket goes on
		// from here instead of waiting for the clock to catch up.
		b.Filled = now
	case come == 0:
	case come >= int64(b.Size-b.Tokens):
		b.Tokens, b.Filled = b.Size, now
	default:
		b.Tokens += int(come)
		b.Filled = b.Filled.Add(time.Duration(come) * b.Refill)
	}
}

// take removes n tokens, or says after how long they will be there. n is at
// most Size.
func (b *bucket) take(n int, now time.Time) (wait time.Duration, ok bool) {
	if b.fill(now); n > b.Tokens {
		return b.Filled.Add(time.Duration(n-b.Tokens) * b.Refill).Sub(now), false
	}
	b.Tokens -= n
	return 0, true
}
