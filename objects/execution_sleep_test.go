package objects

import (
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestASleepThatIsOverOnReplayStillTakesItsTurn is rule R33. The first attempt
// sleeps, and takes two answers meanwhile: the second one first. Later attempts
// find that the time of the sleep has passed, and must take them alike.
func TestASleepThatIsOverOnReplayStillTakesItsTurn(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		left := 5 * time.Second
		return NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			a, b := Awakeable[string](ctx), Awakeable[string](ctx)
			d := left
			left = -time.Hour
			if err := Sleep(ctx, d); err != nil {
				return "", err
			}
			first, err := WaitFirst(ctx, a, b)
			if err != nil {
				return "", err
			}
			if err := Sleep(ctx, 0); err != nil { // suspends here, once more
				return "", err
			}
			return first.(AwakeableFuture[string]).Result()
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != `"A"` {
			t.Errorf("the result is %+v %s", got.Failure, got.Value)
		}
		if n := len(e.commands()); n != 3 { // two sleeps, and the output
			t.Errorf("%d commands are stored", n)
		}
	}, h, func(e *engine) bool {
		if !e.answered(journal.SignalID(18)) {
			e.answer(18, `"B"`)
			e.answer(17, `"A"`)
		}
		return e.fireTimer()
	})
}
