package ingress

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// ResolveSignal sends value to the invocation under a name, for the next
// restate.Signal of that name in its handler. It returns when the signal is
// durable. Signals queue: two calls are two signals, so repeat one only when the
// error says that nothing was stored. An invocation that is unknown is an
// *InvocationNotFoundError; a malformed id, and a name that is empty or longer
// than 255 bytes, an Error with code 400. One that has completed takes no
// signal, which is no error.
func ResolveSignal[T any](ctx context.Context, c *Client, invocationID, name string, value T, o ...restate.ResolveSignalOption) error {
	body, err := encoding.Marshal(restate.ResolveSignalCodec(c.codec, o), value)
	if err != nil {
		return fmt.Errorf("encode signal %q for invocation %s: %w", name, invocationID, err)
	}
	return signal(ctx, c, invocationID, name, body, nil)
}

// RejectSignal makes the next wait for a signal of this name fail with reason;
// see ResolveSignal, and RejectAwakeable for what is kept of the reason.
func RejectSignal(ctx context.Context, c *Client, invocationID, name string, reason error) error {
	if reason == nil {
		return fmt.Errorf("reject signal %q of invocation %s: %w", name, invocationID, errNoReason)
	}
	return signal(ctx, c, invocationID, name, nil, reason)
}

func signal(ctx context.Context, c *Client, invocationID, name string, value []byte, reason error) error {
	if name == "" {
		return NewError(400, fmt.Sprintf("send a signal to invocation %s: its name is empty: give it one", invocationID), nil)
	}
	if err := c.transport.Signal(ctx, invocationID, name, value, reason); err != nil {
		return within(err, "send signal %q to invocation %s", name, invocationID)
	}
	return nil
}
