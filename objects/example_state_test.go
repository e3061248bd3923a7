package objects_test

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A value that was never set is the zero value. With a pointer the two are told
// apart.
func ExampleGet() {
	tryObject(func(ctx restate.ObjectContext, bid int) (string, error) {
		highest, err := restate.Get[*int](ctx, "highest")
		switch {
		case err != nil:
			return "", err
		case highest != nil && bid <= *highest:
			return fmt.Sprint("too low, it is at ", *highest), nil
		}
		restate.Set(ctx, "highest", bid)
		return fmt.Sprint("it is at ", bid), nil
	}, 10, 8, 12)
	// Output:
	// it is at 10 <nil>
	// too low, it is at 10 <nil>
	// it is at 12 <nil>
}

// A write is visible at once, and stays when the handler fails behind it.
func ExampleSet() {
	type visit struct {
		Name  string `json:"name"`
		Times int    `json:"times"`
	}
	tryObject(func(ctx restate.ObjectContext, name string) (visit, error) {
		last, err := restate.Get[visit](ctx, "visit")
		if err != nil {
			return visit{}, err
		}
		now := visit{name, last.Times + 1}
		restate.Set(ctx, "visit", now)
		if name == "" {
			return visit{}, restate.TerminalErrorf("who are you?")
		}
		return now, nil
	}, "ann", "", "bob")
	// Output:
	// {ann 1} <nil>
	// { 0} who are you?
	// {bob 3} <nil>
}

func ExampleClear() {
	tryObject(func(ctx restate.ObjectContext, item string) ([]string, error) {
		restate.Set(ctx, "apple", 1)
		restate.Set(ctx, "pear", 2)
		restate.Clear(ctx, item)
		return restate.Keys(ctx)
	}, "apple", "pear")
	// Output:
	// [pear] <nil>
	// [apple] <nil>
}

// ClearAll empties this key. Other keys of the object have values of their own.
func ExampleClearAll() {
	tryObject(func(ctx restate.ObjectContext, _ restate.Void) (int, error) {
		restate.Set(ctx, "a", 1)
		restate.Set(ctx, "b", 2)
		restate.ClearAll(ctx)
		keys, err := restate.Keys(ctx)
		return len(keys), err
	}, restate.Void{})
	// Output: 0 <nil>
}

// The names are sorted, and know what this handler has written.
func ExampleKeys() {
	tryObject(func(ctx restate.ObjectContext, name string) ([]string, error) {
		restate.Set(ctx, name, true)
		return restate.Keys(ctx)
	}, "pear", "apple")
	// Output:
	// [pear] <nil>
	// [apple pear] <nil>
}

// One object for each key, with the name of its key.
func ExampleKey() {
	greet := func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
		return "this is " + restate.Key(ctx), nil
	}
	c, stop := start(restate.NewObject("Room").Handler("greet", restate.NewObjectSharedHandler(greet)))
	defer stop()
	for _, key := range []string{"attic", "cellar"} {
		fmt.Println(ingress.Object[restate.Void, string](c, "Room", key, "greet").Request(context.Background(), restate.Void{}))
	}
	// Output:
	// this is attic <nil>
	// this is cellar <nil>
}

// A handler of a key with much state reads only what it asks for. What it sees is
// the same.
func ExampleWithEnableLazyState() {
	total := func(ctx restate.ObjectContext, n int) (int, error) {
		sum, err := restate.Get[int](ctx, "sum") // the one value that leaves the store
		restate.Set(ctx, "sum", sum+n)
		return sum + n, err
	}
	c, stop := start(restate.NewObject("Archive", restate.WithEnableLazyState(true)).
		Handler("total", restate.NewObjectHandler(total)))
	defer stop()
	for range 2 {
		fmt.Println(ingress.Object[int, int](c, "Archive", "2026", "total").Request(context.Background(), 21))
	}
	// Output:
	// 21 <nil>
	// 42 <nil>
}
