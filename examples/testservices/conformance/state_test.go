package conformance_test

import (
	"slices"
	"testing"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
)

func TestState_add(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		equal(t, "the first", w.add("c", 1), services.CounterUpdate{OldValue: 0, NewValue: 1})
		equal(t, "the second", w.add("c", 2), services.CounterUpdate{OldValue: 1, NewValue: 3})
		equal(t, "the counter", w.counted("c"), 3)
		call[none](w, "Counter", "c", "reset", none{})
		equal(t, "the counter", w.counted("c"), 0)
	})
}

func TestState_proxyOneWayAdd(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		for range 3 {
			callService[string](w, "Proxy", "oneWayCall", proxiedAdd())
		}
		w.eventually("the counter is 3", func() bool { return w.counted("c") == 3 })
	})
}

func TestState_listStateAndClearAll(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		entries := []services.Entry{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}, {Key: "c", Value: "3"}}
		for _, e := range entries {
			call[none](w, "MapObject", "m", "set", e)
		}
		call[none](w, "MapObject", "other", "set", entries[0])
		got := call[[]services.Entry](w, "MapObject", "m", "clearAll", none{})
		if !slices.Equal(got, entries) {
			t.Errorf("cleared %v, want %v", got, entries)
		}
		for _, e := range entries {
			equal(t, "a cleared entry", call[string](w, "MapObject", "m", "get", e.Key), "")
		}
		equal(t, "the entry of the other key", call[string](w, "MapObject", "other", "get", "a"), "1")
	})
}
