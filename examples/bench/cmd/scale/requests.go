package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/wire"
	"github.com/dormouse-run/dormouse/internal/ident"
)

// requestTimeout bounds one request.
const requestTimeout = 60 * time.Second

// post sends n requests from all clients at once. path makes the one of number
// i; took gets the body of its answer.
func (c *config) post(ctx context.Context, n int, path func(i int) (path, body string), took func(i int, answer []byte) error) error {
	var next atomic.Int64
	var failure atomic.Pointer[error]
	var clients sync.WaitGroup
	for range c.clients {
		clients.Go(func() {
			client := wire.Client{Host: ingress}
			defer client.Close()
			for failure.Load() == nil && ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				where, body := path(i)
				status, answer, err := client.Post(where, body, requestTimeout)
				if err == nil && status != 202 {
					err = fmt.Errorf("status %d: %s", status, answer)
				}
				if err == nil && took != nil {
					err = took(i, answer)
				}
				if err != nil {
					err = fmt.Errorf("%s: %w", where, err)
					failure.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	clients.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return context.Cause(ctx)
}

// accepted takes the id of an invocation from the answer to a send. Unmarshal
// would cost more than the request.
func accepted(answer []byte) (ident.InvocationID, error) {
	_, rest, _ := bytes.Cut(answer, []byte(`"invocationId":"`))
	text, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return ident.InvocationID{}, fmt.Errorf("an answer without an id: %s", answer)
	}
	return ident.ParseInvocationID(string(text))
}

// resolve is the request that answers the first awakeable of an invocation.
func resolve(id ident.InvocationID) (path, body string) {
	a := ident.AwakeableID{Invocation: id, Index: ident.FirstAwakeable}
	return "/restate/awakeables/" + a.String() + "/resolve", `"ok"`
}
