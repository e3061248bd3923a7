package conformance_test

import "testing"

func TestNonDeterminismErrors_method_eitherSleepOrCall(t *testing.T) {
	nonDeterminism(t, "eitherSleepOrCall")
}

func TestNonDeterminismErrors_method_callDifferentMethod(t *testing.T) {
	nonDeterminism(t, "callDifferentMethod")
}

func TestNonDeterminismErrors_method_backgroundInvokeWithDifferentTargets(t *testing.T) {
	nonDeterminism(t, "backgroundInvokeWithDifferentTargets")
}

func TestNonDeterminismErrors_method_setDifferentKey(t *testing.T) {
	nonDeterminism(t, "setDifferentKey")
}

// nonDeterminism calls a handler that does not fit its journal when it is
// resumed. It fails, and nothing behind the mismatch happens.
func nonDeterminism(t *testing.T, handler string) {
	inModes(t, func(t *testing.T, w *world) {
		w.add("c", 1)
		failure := fails(w, "NonDeterministic", "c", handler, none{})
		equal(t, "the code", failure.Code(), 570)
		equal(t, "the counter", w.counted("c"), 1)
	})
}
