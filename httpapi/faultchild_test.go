package httpapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/faults"
)

// envFaults makes a child take orders for faults: all of faultOrders, and with "syncs"
// those on syncs too.
const envFaults = "DORMOUSE_CHILD_FAULTS"

// serveFaults listens for orders of the parent, on a port of its own that it writes into
// the ledger. It does not go through the runtime, which refuses work when the faults
// work.
func serveFaults(t *testing.T, l ledger) {
	o := &faultOrders{}
	if os.Getenv(envFaults) == "syncs" {
		syncs, err := faults.WatchSyncs()
		if err != nil {
			t.Fatal(err)
		}
		o.syncs = syncs
	}
	mux := http.NewServeMux()
	for path, order := range map[string]func(n int) error{
		"/maps": o.leaveMaps, "/slow": o.slow, "/fail": o.fail,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.URL.Query().Get("n"))
			if err == nil {
				err = order(n)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	server := httptest.NewServer(mux)
	if err := l.write("faults", fmt.Sprint(os.Getpid()), server.URL); err != nil {
		t.Fatal(err)
	}
}

// faultOrders are what a child can be told to do to itself, one at a time.
type faultOrders struct {
	syncs *faults.Syncs
	maps  []*faults.Maps
}

// leaveMaps takes memory maps until about n are left; 0 gives back all that were taken.
func (o *faultOrders) leaveMaps(n int) (err error) {
	if n == 0 {
		for _, m := range o.maps {
			err = errors.Join(err, m.Give())
		}
		o.maps = nil
		return err
	}
	limit, err := os.ReadFile("/proc/sys/vm/max_map_count")
	if err != nil {
		return err
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(limit)))
	if err != nil {
		return err
	}
	list, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	m, err := faults.TakeMaps(most - bytes.Count(list, []byte("\n")) - n)
	if err == nil {
		o.maps = append(o.maps, m)
	}
	return err
}

// slow makes each sync last longer by n milliseconds.
func (o *faultOrders) slow(n int) error {
	o.syncs.Slow(time.Duration(n) * time.Millisecond)
	return nil
}

// fail makes syncs fail with an error number; 0 lets them succeed.
func (o *faultOrders) fail(n int) error {
	o.syncs.Fail(syscall.Errno(n))
	return nil
}

// order tells a child what to do to itself.
func (c *child) order(path string, n int) {
	c.t.Helper()
	at := c.await(c.t, "faults", fmt.Sprint(c.cmd.Process.Pid))
	want(c.t, ask(c.client, "POST", fmt.Sprintf("%s/%s?n=%d", at, path, n), ""), 200, "")
}
