package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
)

// profiling takes a CPU profile of the target during the measured time of the
// run that begins now, when one is wanted. done waits for it.
func (r *runner) profiling(ctx context.Context) (done func() error) {
	if r.profile == "" {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	go func() {
		if err := child.Sleep(ctx, r.warmup); err != nil {
			ended <- err
			return
		}
		ended <- fetchProfile(ctx, profileURL(r.target.stats, r.duration), r.profile)
	}()
	return func() error { return <-ended }
}

// profileURL is where a target that has counters at stats serves its profile.
// The least is one second.
func profileURL(stats string, d time.Duration) string {
	return fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", strings.TrimSuffix(stats, "/stats"), max(1, int(d.Seconds())))
}

func fetchProfile(ctx context.Context, url, file string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: %s answers %s", url, resp.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, resp.Body); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}
