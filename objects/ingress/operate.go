package ingress

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// ResolveAwakeable answers the awakeable id with value. It returns when the
// answer is durable. The first answer wins; a later one is no error and does
// nothing. An id whose invocation is unknown is an *InvocationNotFoundError, a
// malformed one an Error with code 400.
func ResolveAwakeable[T any](ctx context.Context, c *Client, id string, value T, o ...restate.ResolveAwakeableOption) error {
	body, err := encoding.Marshal(restate.ResolveAwakeableCodec(c.codec, o), value)
	if err != nil {
		return fmt.Errorf("encode the answer to awakeable %s: %w", id, err)
	}
	if err := c.transport.Complete(ctx, id, body, nil); err != nil {
		return within(err, "resolve awakeable %s", id)
	}
	return nil
}

// RejectAwakeable answers the awakeable id with a terminal error; see
// ResolveAwakeable. In the same process the code and the metadata of a terminal
// reason are kept; over HTTP, and of other reasons, only the message is, with
// code 500.
func RejectAwakeable(ctx context.Context, c *Client, id string, reason error) error {
	if reason == nil {
		return fmt.Errorf("reject awakeable %s: %w", id, errNoReason)
	}
	if err := c.transport.Complete(ctx, id, nil, reason); err != nil {
		return within(err, "reject awakeable %s", id)
	}
	return nil
}

// Cancel asks an invocation to stop: its next wait ends with a terminal error,
// code 409, and so it may compensate. It returns when the request is durable. A
// completed invocation is an Error with code 409.
func Cancel(ctx context.Context, c *Client, invocationID string) error {
	return operate(ctx, c, OperationCancel, invocationID)
}

// Kill ends an invocation without running its code again; its callers see a
// terminal error, code 409. A completed invocation is an Error with code 409.
func Kill(ctx context.Context, c *Client, invocationID string) error {
	return operate(ctx, c, OperationKill, invocationID)
}

// Pause stops the attempts of an invocation until it is resumed; it keeps its
// key. An invocation that has not started, or has completed, is an Error with
// code 409.
func Pause(ctx context.Context, c *Client, invocationID string) error {
	return operate(ctx, c, OperationPause, invocationID)
}

// Resume starts a new attempt of an invocation that is paused, suspended or
// backing off, with a fresh count of attempts. One that has not started is an
// Error with code 425, a completed one with code 409.
func Resume(ctx context.Context, c *Client, invocationID string) error {
	return operate(ctx, c, OperationResume, invocationID)
}

// Purge forgets a completed invocation: its result, its journal and its
// idempotency key. One that has not completed is an Error with code 409.
func Purge(ctx context.Context, c *Client, invocationID string) error {
	return operate(ctx, c, OperationPurge, invocationID)
}

// PurgeJournal forgets the journal of a completed invocation; its result stays. One
// that has not completed is an Error with code 409.
func PurgeJournal(ctx context.Context, c *Client, invocationID string) error {
	return operate(ctx, c, OperationPurgeJournal, invocationID)
}

// RestartAsNew invokes the handler of a completed invocation again, with the same
// input and under a new id, which it returns. The new one begins with the entries
// of the old journal up to the one with the index from; 0 copies the input alone.
// One that has not completed is an Error with code 409 or 425, one whose journal is
// gone 410, the run of a workflow 422.
func RestartAsNew(ctx context.Context, c *Client, invocationID string, from uint32) (newID string, err error) {
	if newID, err = c.transport.Restart(ctx, invocationID, from); err != nil {
		return "", within(err, "restart invocation %s", invocationID)
	}
	return newID, nil
}

// EditState replaces the state of a key. While a handler holds the key the patch
// waits in its queue. It returns when the patch is durable. An unknown service is an
// Error with code 404, one without keys 400.
func EditState(ctx context.Context, c *Client, p StatePatch) error {
	if err := c.transport.EditState(ctx, p); err != nil {
		return within(err, "edit the state of %s/%s", p.Service, p.Key)
	}
	return nil
}

func operate(ctx context.Context, c *Client, op Operation, invocationID string) error {
	if err := c.transport.Operate(ctx, op, invocationID); err != nil {
		return within(err, "%s invocation %s", op, invocationID)
	}
	return nil
}
