package objects

import "runtime"

// onCoroutine reports whether this goroutine is a coroutine, which iter.Pull makes:
// it runs only while the goroutine that has resumed it waits for it, and
// runtime.Goexit on it ends both. It looks at the whole stack, so it is for what
// has failed already.
func onCoroutine() bool {
	callers := make([]uintptr, 64)
	n := runtime.Callers(1, callers)
	for n == len(callers) {
		callers = make([]uintptr, 2*len(callers))
		n = runtime.Callers(1, callers)
	}
	frames := runtime.CallersFrames(callers[:n])
	for {
		f, more := frames.Next()
		if f.Function == "runtime.corostart" {
			return true
		}
		if !more {
			return false
		}
	}
}
