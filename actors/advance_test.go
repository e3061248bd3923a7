package actors

import "time"

// advance lets d pass on the clock of the synctest bubble that the test runs
// in; outside of one it must not be called.
func advance(d time.Duration) { <-time.After(d) }
