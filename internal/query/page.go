package query

import (
	"errors"
	"fmt"
)

// Bounds of the number of items on a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	// Next is the cursor of the next page, "" at the end of the list.
	Next string
	// Examined is how many rows were looked at for this page.
	Examined int
	// Partial says that an order without an index has not seen everything.
	Partial bool
}

// ErrLimit is wrapped by the error for a limit that no page can have.
var ErrLimit = errors.New("limit out of range")

// Limit returns how many items a page has at most: DefaultLimit for 0.
func Limit(asked int) (int, error) {
	switch {
	case asked == 0:
		return DefaultLimit, nil
	case asked < 0 || asked > MaxLimit:
		return 0, fmt.Errorf("%w: %d: a page has 1 to %d items", ErrLimit, asked, MaxLimit)
	default:
		return asked, nil
	}
}
