package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// queue lets invocations stand in line on one key, behind one that waits, and
// compares the first of them with the last, when they come and when they go.
func (c *config) queue(ctx context.Context, p *program) error {
	var holder ident.InvocationID
	err := c.post(ctx, 1, func(int) (string, string) { return "/Waiter/queue/hold/send", "" },
		func(_ int, answer []byte) (err error) { holder, err = accepted(answer); return err })
	if err != nil {
		return err
	}
	if err := c.enqueue(ctx, p); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	if err := c.dequeue(ctx, p, holder); err != nil {
		return fmt.Errorf("dequeue: %w", err)
	}
	return nil
}

func (c *config) enqueue(ctx context.Context, p *program) error {
	l := newLine("enqueue", c.n)
	window := c.window()
	middle := c.n - 2*window
	for _, s := range []struct {
		name string
		n    int
	}{{"first", window}, {"middle", middle}, {"last", window}} {
		stop := p.stretch()
		if err := c.post(ctx, s.n, func(int) (string, string) { return "/Waiter/queue/pass/send", "" }, nil); err != nil {
			return err
		}
		stop(l, s.name, float64(s.n))
	}
	if err := p.reportMemory(l); err != nil {
		return err
	}
	l.compare()
	return l.print()
}

// window is how many of either end are compared.
func (c *config) window() int { return min(50_000, c.n/4) }

func (c *config) dequeue(ctx context.Context, p *program, holder ident.InvocationID) error {
	l := newLine("dequeue", c.n)
	window, total := float64(c.window()), float64(c.n+1)
	stop := p.stretch()
	if err := c.post(ctx, 1, func(int) (string, string) { return resolve(holder) }, nil); err != nil {
		return err
	}
	done := 0.0
	for _, s := range []struct {
		name string
		upTo float64
	}{{"first", window}, {"middle", total - window}, {"last", total}} {
		f, err := p.until(ctx, c.limit, func(f figures) bool { return f["dormouse_invocations_completed_total"] >= s.upTo })
		if err != nil {
			return err
		}
		now := f["dormouse_invocations_completed_total"]
		stop(l, s.name, now-done)
		done, stop = now, p.stretch()
	}
	if err := p.reportMemory(l); err != nil {
		return err
	}
	l.compare()
	return l.print()
}

// stretch begins to watch a number of operations; the result reports them.
func (p *program) stretch() func(l line, name string, n float64) {
	cpu, start := p.process().CPU(), time.Now()
	return func(l line, name string, n float64) {
		l.set(name+"_per_s", n/time.Since(start).Seconds(), 0)
		l.set(name+"_cpu_ms_per_op", (p.process().CPU()-cpu)/max(n, 1)*1000, 4)
	}
}

// compare adds how much more processor time the last ones took than the first.
func (l line) compare() {
	first, last := l["first_cpu_ms_per_op"].(float64), l["last_cpu_ms_per_op"].(float64)
	if first > 0 {
		l.set("last_of_first_cpu", last/first, 2)
	}
}
