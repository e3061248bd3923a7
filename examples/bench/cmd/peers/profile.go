package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// profiling takes a CPU profile of the target during the measured time of the
// run that begins now, when one is wanted. done waits for it.
func (r *runner) profiling() (done func() error) {
	if r.profile == "" {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	go func() {
		time.Sleep(r.warmup)
		ended <- fetchProfile(profileURL(r.target.stats, r.duration), r.profile)
	}()
	return func() error { return <-ended }
}

// profileURL is where a target that has counters at stats serves its profile.
// The least is one second.
func profileURL(stats string, d time.Duration) string {
	return fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", strings.TrimSuffix(stats, "/stats"), max(1, int(d.Seconds())))
}

func fetchProfile(url, file string) (err error) {
	resp, err := http.Get(url)
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
