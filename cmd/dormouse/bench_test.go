package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/persistence"
)

// BenchmarkCallsBesideBackups calls a handler over HTTP, one call after the other,
// alone and while one backup after the other is taken from a store of 100,000
// invocations and read as fast as it comes. It reports the median of a call and
// the slowest of a hundred.
func BenchmarkCallsBesideBackups(b *testing.B) {
	bank := open(b, b.TempDir())
	var fill sync.WaitGroup
	for w := range 64 {
		fill.Go(func() {
			for n := range 100_000 / 64 {
				bank.post(fmt.Sprintf("/Account/f%d/deposit/send", (w*n)%5000), []byte("1"), "application/json")
			}
		})
	}
	fill.Wait()
	for _, beside := range []string{"nothing", "backups"} {
		b.Run(beside, func(b *testing.B) {
			ctx, cancel := context.WithCancel(context.Background())
			var wait sync.WaitGroup
			taken := 0
			if beside == "backups" {
				wait.Go(func() {
					for ctx.Err() == nil {
						if again(ctx, bank.admin) == nil {
							taken++
						}
					}
				})
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if status, _, content := bank.post("/Account/x/deposit", []byte("1"), "application/json"); status != http.StatusOK {
					b.Fatalf("%d %s", status, content)
				}
				took = append(took, time.Since(began))
			}
			cancel()
			wait.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(taken), "backups")
		})
	}
}

// again takes one backup and throws it away.
func again(ctx context.Context, admin string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/backup", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = persistence.CheckBackup(io.TeeReader(resp.Body, io.Discard))
	return err
}
