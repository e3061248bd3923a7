package faults

import "errors"

// ErrUnavailable is wrapped by the error of a fault that cannot be made here.
var ErrUnavailable = errors.New("this fault cannot be made here")
