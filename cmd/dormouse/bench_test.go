package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/persistence"
)

// BenchmarkCommand takes backups of a program with 98,000 invocations of 5,000 keys, some
// 200,000 rows, over HTTP, to a file that is synced, and restores them.
func BenchmarkCommand(b *testing.B) {
	bank := openBank(b, b.TempDir())
	fill(bank, 98_000)
	dir := b.TempDir()
	n := 0
	for _, what := range []string{"backup", "restore"} {
		b.Run(what, func(b *testing.B) {
			var size, rows int64
			for b.Loop() {
				n++
				file := filepath.Join(dir, fmt.Sprint("backup", n))
				if what == "restore" {
					file = filepath.Join(dir, "backup1")
					mustDo(b, "restore", file, filepath.Join(dir, fmt.Sprint("data", n)))
				} else {
					mustDo(b, "backup", "-admin", bank.admin, file)
				}
				info, err := os.Stat(file)
				if err != nil {
					b.Fatal(err)
				}
				size += info.Size()
			}
			if f, err := os.Open(filepath.Join(dir, "backup1")); err == nil {
				info, err := persistence.CheckBackup(f)
				if err = errors.Join(err, f.Close()); err != nil {
					b.Fatal(err)
				}
				rows = int64(info.Rows) * int64(b.N)
			}
			b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
		})
	}
}

func mustDo(b *testing.B, args ...string) {
	b.Helper()
	if code, _, err := dormouse(b.Context(), args...); code != exitGood {
		b.Fatal(err)
	}
}

// fill sends so many deposits.
func fill(bank *bank, invocations int) {
	var wait sync.WaitGroup
	for w := range 64 {
		wait.Go(func() {
			for n := range invocations / 64 {
				bank.post(fmt.Sprintf("/Account/f%d/deposit/send", (64*n+w)%5000), []byte("1"), "application/json")
			}
		})
	}
	wait.Wait()
}

// BenchmarkCallsBesideBackups calls a handler over HTTP, one call after the other,
// alone and while one backup after the other is taken from a store of 100,000
// invocations and read as fast as it comes. It reports the median of a call and
// the slowest of a hundred.
func BenchmarkCallsBesideBackups(b *testing.B) {
	bank := openBank(b, b.TempDir())
	fill(bank, 100_000)
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
