package journal

import "errors"

// ErrMalformed is wrapped by every error of a decoder: the bytes are not a
// message of that type, or they use a part of the protocol that is refused.
var ErrMalformed = errors.New("malformed journal bytes")
