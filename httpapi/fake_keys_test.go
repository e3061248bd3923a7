package httpapi

import (
	"context"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/query"
)

// fakeKeys answers questions about keys from what a test has set, and remembers
// them.
type fakeKeys struct {
	keys       func(query.KeyFilter, query.Paging) (query.Page[query.KeyItem], error)
	key        func(ident.ObjectKey, query.KeyOptions) (*query.Key, error)
	awakeables func(query.AwakeableFilter, query.Paging) (query.Page[query.AwakeableItem], error)
	promises   func(query.PromiseFilter, query.Paging) (query.Page[query.PromiseItem], error)
}

func (f *fakeRuntime) Keys(_ context.Context, filter query.KeyFilter, p query.Paging) (query.Page[query.KeyItem], error) {
	if f.keyed.keys == nil {
		return query.Page[query.KeyItem]{}, nil
	}
	return f.keyed.keys(filter, p)
}

func (f *fakeRuntime) Key(_ context.Context, key ident.ObjectKey, o query.KeyOptions) (*query.Key, error) {
	if f.keyed.key == nil {
		return &query.Key{KeyItem: query.KeyItem{Key: key.Key}}, nil
	}
	return f.keyed.key(key, o)
}

func (f *fakeRuntime) Awakeables(_ context.Context, filter query.AwakeableFilter, p query.Paging) (query.Page[query.AwakeableItem], error) {
	if f.keyed.awakeables == nil {
		return query.Page[query.AwakeableItem]{}, nil
	}
	return f.keyed.awakeables(filter, p)
}

func (f *fakeRuntime) Promises(_ context.Context, filter query.PromiseFilter, p query.Paging) (query.Page[query.PromiseItem], error) {
	if f.keyed.promises == nil {
		return query.Page[query.PromiseItem]{}, nil
	}
	return f.keyed.promises(filter, p)
}
