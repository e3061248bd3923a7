package actors

// Stress are switches for tests. Each makes a rare way of a runtime its only
// one, whatever definitions and other options say. What handlers do and return
// is the same with all of them; what it costs is not. The zero value does
// nothing.
type Stress struct {
	// SuspendAtEveryWait unloads a handler whenever it waits and may be
	// unloaded: an inactivity timeout of 0 for all handlers.
	SuspendAtEveryWait bool
	// LazyState lets every handler read state through completions, as with
	// WithEnableLazyState.
	LazyState bool
	// EvictTimers keeps about one timer in memory. All others are read back
	// from the store before they are due.
	EvictTimers bool
}

// force overrides the settings of every handler.
func (s Stress) force(b bindings) {
	for _, service := range b {
		for _, h := range service.handlers {
			if s.SuspendAtEveryWait {
				h.settings.InactivityTimeout = 0
			}
			if s.LazyState {
				h.settings.EnableLazyState = true
			}
		}
	}
}

// narrow shortens the window of the timers, before they start.
func (s Stress) narrow(t *timers) {
	if s.EvictTimers {
		t.limits.count, t.trimAt = 1, 1
	}
}
