package journal

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func one(n uint32) NotificationID { return CompletionID(n) }

// arrive is a notification in a test of Reduce: +n a completion that
// succeeded, -n one that failed.
func arrive(f *Future, n int32) (*Future, bool) {
	if n < 0 {
		return f.Reduce(one(uint32(-n)), true)
	}
	return f.Reduce(one(uint32(n)), false)
}

// until feeds notifications until the tree is satisfied and returns how many
// that took, 0 when they were not enough.
func until(f *Future, feed ...int32) int {
	for i, n := range feed {
		var done bool
		if f, done = arrive(f, n); done {
			return i + 1
		}
	}
	return 0
}

func node(c Combinator, completions ...uint32) *Future {
	return &Future{Completions: completions, Combinator: c}
}

func over(c Combinator, nested ...*Future) *Future { return &Future{Nested: nested, Combinator: c} }

func TestATreeIsSatisfiedByExactlyWhatDecidesIt(t *testing.T) {
	t.Parallel()
	const first, all, anySuccess, allSuccess = FirstCompleted, AllCompleted, FirstSucceededOrAllFailed, AllSucceededOrFirstFailed
	rows := []struct {
		tree *Future
		feed []int32
		want int
	}{
		{node(Unknown, 1, 2), []int32{9, -2}, 2},
		{node(first, 1, 2), []int32{9, -2}, 2},
		{node(all, 1, 2, 3), []int32{3, -1, 3, 2}, 4},
		{node(all, 1, 1), []int32{1}, 1},
		{node(anySuccess, 1, 2, 3), []int32{-1, -3, 2}, 3},
		{node(anySuccess, 1, 2, 3), []int32{2}, 1},
		{node(anySuccess, 1, 2), []int32{-1, -2}, 2},
		{node(allSuccess, 1, 2), []int32{1, 2}, 2},
		{node(allSuccess, 1, 2, 3), []int32{1, -3}, 2},
		// The outcome of a node counts for the node above it.
		{over(allSuccess, node(first, 1, 2), node(all, 3, 4)), []int32{-3, -4, 1}, 3},
		{over(allSuccess, node(first, 1, 2), node(all, 3, 4)), []int32{-1}, 1},
		{over(anySuccess, node(allSuccess, 1, 2), node(anySuccess, 3, 4)), []int32{-1, -3, -4}, 3},
		{over(anySuccess, node(allSuccess, 1, 2), node(anySuccess, 3, 4)), []int32{-1, 4}, 2},
		{over(all, node(first, 1, 2), node(allSuccess, 3)), []int32{1, 2, -3}, 3},
		// Only the host knows the outcome of Unknown.
		{over(all, over(allSuccess, node(Unknown, 1), node(all, 2)), node(all, 3)), []int32{1}, 1},
		{over(all, over(anySuccess, node(Unknown, 1), node(all, 2)), node(all, 3)), []int32{-1}, 1},
		{over(all, over(anySuccess, over(first, node(Unknown, 1)), node(all, 2)), node(all, 3)), []int32{1}, 1},
		{over(all, node(Unknown, 1), node(all, 3)), []int32{1, 3}, 2},
		{over(allSuccess, over(all, node(Unknown, 1)), node(all, 3)), []int32{1, 3}, 2},
		// Nothing is waited for.
		{&Future{}, []int32{1, -2}, 0},
		{node(first), []int32{1, -2}, 0},
		{over(all, node(all), node(all, 1)), []int32{1}, 1},
		{over(first, node(all, 1), node(all, 2)), []int32{3, -4}, 0},
	}
	for _, row := range rows {
		if got := until(row.tree, row.feed...); got != row.want {
			t.Errorf("%v fed with %v: satisfied by number %d, want %d", row.tree, row.feed, got, row.want)
		}
	}
}

func TestReduceRemovesWhatIsDecidedAndNothingElse(t *testing.T) {
	t.Parallel()
	tree := &Future{
		Completions: []uint32{1, 2, 1}, Signals: []uint32{17, 18}, Named: []string{"go", "stop"}, Combinator: AllCompleted,
		Nested: []*Future{node(FirstCompleted, 2, 3), {Signals: []uint32{17, 19}, Combinator: AllCompleted}},
	}
	before := tree.String()
	steps := []struct {
		id   NotificationID
		want string
	}{
		{CompletionID(2), `all(completion 1, completion 1, signal 17, signal 18, signal "go", signal "stop", all(signal 17, signal 19))`},
		{CompletionID(1), `all(signal 17, signal 18, signal "go", signal "stop", all(signal 17, signal 19))`},
		{SignalID(17), `all(signal 18, signal "go", signal "stop", all(signal 19))`},
		{NamedSignalID("go"), `all(signal 18, signal "stop", all(signal 19))`},
	}
	rest := tree
	for _, step := range steps {
		var satisfied bool
		if rest, satisfied = rest.Reduce(step.id, true); satisfied || rest.String() != step.want {
			t.Fatalf("after %v: %v, %v, want %s", step.id, rest, satisfied, step.want)
		}
	}
	if tree.String() != before {
		t.Errorf("the tree itself became %v, was %s", tree, before)
	}
}

func TestReduceByAForeignIDReturnsTheTreeItself(t *testing.T) {
	t.Parallel()
	tree := over(AllCompleted, node(FirstCompleted, 1), &Future{Named: []string{""}})
	for _, id := range []NotificationID{CompletionID(9), SignalID(1), NamedSignalID("x"), {}} {
		if rest, satisfied := tree.Reduce(id, false); rest != tree || satisfied {
			t.Errorf("%v: %v, %v", id, rest, satisfied)
		}
	}
}

// Whatever order notifications arrive in, a tree is satisfied at the latest
// when every leaf is known, and a reduced tree has only leaves that are not.
func TestAReducedTreeNamesOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	combinators := []Combinator{Unknown, FirstCompleted, AllCompleted, FirstSucceededOrAllFailed, AllSucceededOrFirstFailed}
	for _, top := range combinators {
		for _, inner := range combinators {
			f := over(top, node(inner, 1, 2), node(inner, 2, 3))
			for outcomes := range 1 << 3 {
				checkMissing(t, f, outcomes)
			}
		}
	}
}

func checkMissing(t *testing.T, f *Future, outcomes int) {
	t.Helper()
	rest, satisfied := f, false
	for n := range uint32(3) {
		if rest, satisfied = rest.Reduce(one(n+1), outcomes>>n&1 == 1); satisfied {
			return
		}
		if rest.Contains(one(n + 1)) {
			t.Errorf("%v: %v left after %d", f, rest, n+1)
		}
	}
	t.Errorf("%v with outcomes %b is not satisfied by everything", f, outcomes)
}

func TestLeavesAreYieldedInOrder(t *testing.T) {
	t.Parallel()
	f := &Future{
		Completions: []uint32{1}, Signals: []uint32{1, 17}, Named: []string{"go"},
		Nested: []*Future{node(AllCompleted, 2), node(AllCompleted, 1)},
	}
	want := []NotificationID{CompletionID(1), SignalID(1), SignalID(17), NamedSignalID("go"), CompletionID(2), CompletionID(1)}
	if got := slices.Collect(f.Leaves()); !slices.Equal(got, want) {
		t.Errorf("leaves %v, want %v", got, want)
	}
	for stop := range len(want) {
		n := 0
		for range f.Leaves() {
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("%d leaves after a break at %d", n, stop+1)
		}
	}
	if !f.Contains(CompletionID(2)) || !f.Contains(NamedSignalID("go")) || f.Contains(SignalID(2)) || f.Contains(NotificationID{}) {
		t.Error("Contains disagrees with Leaves")
	}
}

func TestDeepTreesAreReadUpToALimit(t *testing.T) {
	t.Parallel()
	deep := func(depth int) *Future {
		f := node(AllCompleted, 1)
		for range depth - 1 {
			f = over(FirstCompleted, f)
		}
		return f
	}
	f, err := DecodeFuture(deep(maxFutureDepth).AppendBody(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, satisfied := f.Reduce(one(1), false); !satisfied {
		t.Error("the only leaf does not satisfy the tree")
	}
	_, err = DecodeFuture(deep(maxFutureDepth + 1).AppendBody(nil))
	if !errors.Is(err, ErrMalformed) || strings.Count(err.Error(), "field") > 1 {
		t.Errorf("one level more: %v", err)
	}
}

func TestMalformedAwaitTreesAreRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"0a02 0380", "0a05 8080808010", "28 05", "22 01 0a", "1a", "0d 00000000"} {
		if f, err := DecodeFuture(unhex(t, body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: read %v, %v", body, f, err)
		}
	}
}

func TestListsOfNumbersAreAlsoReadUnpacked(t *testing.T) {
	t.Parallel()
	f, err := DecodeFuture(unhex(t, "0801 0802 0a020304 1011"))
	if err != nil || f.String() != "any(completion 1, completion 2, completion 3, completion 4, signal 17)" {
		t.Errorf("read %v, %v", f, err)
	}
}
