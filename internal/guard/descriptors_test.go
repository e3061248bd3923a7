package guard

import "testing"

func TestRoomForConnectionsLeavesDescriptorsToTheStore(t *testing.T) {
	t.Parallel()
	for limit, want := range map[uint64]Room{
		0: {0, 256}, 1: {1, 1}, 256: {176, 16}, 1024: {704, 64}, 20_000: {14_744, 256}, 1 << 20: {786_176, 256}, 1 << 63: {0, 256},
	} {
		if got := divide(limit); got != want {
			t.Errorf("with %d descriptors: %+v, want %+v", limit, got, want)
		}
	}
	limit, err := raiseDescriptors()
	if again, _ := raiseDescriptors(); err != nil || again != limit {
		t.Errorf("the limit is %d, then %d, %v", limit, again, err)
	}
}
