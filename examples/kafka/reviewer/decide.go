package reviewer

import (
	"errors"
	"strings"
)

// WithPrice rejects what says that it has no price, and approves the rest.
func WithPrice(q Question) (string, error) {
	if strings.Contains(q.Text, "without a price") {
		return "", errors.New("no price")
	}
	return "approved", nil
}
