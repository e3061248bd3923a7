package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
	"github.com/dormouse-run/dormouse/internal/ident"
)

// maxHot is how many handlers the runtime lets wait in memory for a minute.
const maxHot = 4096

// waits parks invocations, each on a key of its own, and resolves them after a
// crash.
func (c *config) waits(ctx context.Context, p *program) error {
	ids := make([]ident.InvocationID, c.n)
	if err := c.park(ctx, p, ids); err != nil {
		return fmt.Errorf("park: %w", err)
	}
	if err := c.restart(ctx, p); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	if err := c.resolveAll(ctx, p, ids); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	if err := c.disk(ctx, p); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	return nil
}

// park sends the invocations and waits until none is left in memory. The rate
// is that of the time up to the one after which only those are in memory that
// the runtime keeps there on purpose.
func (c *config) park(ctx context.Context, p *program, ids []ident.InvocationID) error {
	l := newLine("park", c.n)
	peak, before, start := p.peak(), p.process().CPU(), time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sent := make(chan error, 1)
	go func() {
		err := c.post(ctx, c.n,
			func(i int) (path, body string) { return fmt.Sprintf("/Waiter/w%d/hold/send", i), "" },
			func(i int, answer []byte) (err error) { ids[i], err = accepted(answer); return err })
		if err != nil {
			cancel(err) // what was not sent is not waited for
		}
		sent <- err
	}()
	suspended := func(f figures) float64 { return f["dormouse_attempts_suspended_total"] }
	counted := float64(max(c.n-maxHot, 1))
	f, err := p.until(ctx, c.limit, func(f figures) bool { return suspended(f) >= counted })
	if err != nil {
		return err
	}
	elapsed := time.Since(start).Seconds()
	l.set("park_s", elapsed, 2)
	l.set("park_per_s", suspended(f)/elapsed, 0)
	l.set("cpu_ms_per_op", (p.process().CPU()-before)/suspended(f)*1000, 3)
	if err := <-sent; err != nil {
		return err
	}
	f, err = p.until(ctx, c.limit, func(f figures) bool { return suspended(f) >= float64(c.n) && f["dormouse_attempts"] == 0 })
	if err != nil {
		return err
	}
	l.set("all_out_s", time.Since(start).Seconds(), 2)
	l.set("rows_per_op", f["dormouse_commit_rows_total"]/float64(c.n), 2)
	l.set("bytes_per_op", f["dormouse_commit_bytes_total"]/float64(c.n), 0)
	l.set("peak_anon_mib", peak(), 1)
	if err := child.Sleep(ctx, c.rest); err != nil {
		return err
	}
	if err := p.reportMemory(l); err != nil {
		return err
	}
	l.set("disk_mib", float64(allocated(p.dir))/mib, 1)
	return l.print()
}

// restart kills the program and starts it again.
func (c *config) restart(ctx context.Context, p *program) error {
	l := newLine("restart", c.n)
	p.Kill()
	if err := p.Start(); err != nil {
		return err
	}
	took, err := p.ready(ctx, c.limit)
	if err != nil {
		return err
	}
	l.set("ready_s", took.Seconds(), 3)
	if err := child.Sleep(ctx, c.rest); err != nil {
		return err
	}
	l.set("cpu_s", p.process().CPU(), 2)
	if err := p.reportMemory(l); err != nil {
		return err
	}
	return l.print()
}

// resolveAll answers every awakeable and waits until every invocation has ended.
func (c *config) resolveAll(ctx context.Context, p *program, ids []ident.InvocationID) error {
	l := newLine("resolve", c.n)
	peak, before, start := p.peak(), p.process().CPU(), time.Now()
	if err := c.post(ctx, c.n, func(i int) (string, string) { return resolve(ids[i]) }, nil); err != nil {
		return err
	}
	l.set("accept_per_s", float64(c.n)/time.Since(start).Seconds(), 0)
	f, err := p.until(ctx, c.limit, func(f figures) bool { return f["dormouse_invocations_completed_total"] >= float64(c.n) })
	if err != nil {
		return err
	}
	elapsed := time.Since(start).Seconds()
	l.set("done_s", elapsed, 2)
	l.set("done_per_s", float64(c.n)/elapsed, 0)
	l.set("cpu_ms_per_op", (p.process().CPU()-before)/float64(c.n)*1000, 3)
	l.set("rows_per_op", f["dormouse_commit_rows_total"]/float64(c.n), 2)
	l.set("bytes_per_op", f["dormouse_commit_bytes_total"]/float64(c.n), 0)
	l.set("peak_anon_mib", peak(), 1)
	l.set("disk_mib", float64(allocated(p.dir))/mib, 1)
	return l.print()
}

// disk compares what the directory takes, a while after the last end, with what
// a full scan finds.
func (c *config) disk(ctx context.Context, p *program) error {
	l := newLine("disk", c.n)
	if err := child.Sleep(ctx, c.settle); err != nil {
		return err
	}
	took := allocated(p.dir)
	if err := p.reportMemory(l); err != nil {
		return err
	}
	if err := p.Stop(); err != nil {
		return err
	}
	rows, bytes, err := scan(p.dir)
	if err != nil {
		return err
	}
	l["rows"] = rows
	l.set("rows_mib", float64(bytes)/mib, 1)
	l.set("disk_mib", float64(took)/mib, 1)
	l.set("goal_mib", 2.5*float64(bytes)/mib+128, 1)
	l.set("closed_mib", float64(allocated(p.dir))/mib, 1)
	return l.print()
}
