package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

var attackClients = flag.Int("attack.clients", 500, "how many slow and broken clients TestSlowAndBrokenClientsDoNotStopOthers opens")

// Environment variables of the two children of the attack: the directory of the
// victim, and the address that the attackers attack.
const (
	envVictim   = "DORMOUSE_VICTIM_DIR"
	envAttacked = "DORMOUSE_ATTACKED"
	envClients  = "DORMOUSE_ATTACKERS"
)

// vitals are what the victim says of itself.
type vitals struct{ Goroutines, Descriptors, Connections int }

// TestVictim is the attacked program; by itself it does nothing. Its last
// address answers with its vitals, and counts neither the goroutines nor the
// descriptors of that.
func TestVictim(t *testing.T) {
	dir := os.Getenv(envVictim)
	if dir == "" {
		t.Skip("it runs as the child of another test")
	}
	store, err := persistence.Open(filepath.Join(dir, "data"), persistence.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	nap := func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
		return restate.Void{}, restate.Sleep(ctx, 2*time.Second)
	}
	add := func(ctx restate.ObjectContext, n int) (int, error) { return n + 1, nil }
	raw := func(_ restate.Context, b []byte) (int, error) { return len(b), nil }
	rt, err := actors.Open(t.Context(), actors.Options{Store: store, Logger: slog.New(slog.DiscardHandler), Linger: -1, Services: []restate.ServiceDefinition{
		restate.NewService("Slow").Handler("nap", restate.NewServiceHandler(nap)).Handler("raw", restate.NewServiceHandler(raw, restate.WithBinary)),
		restate.NewObject("Quick").Handler("add", restate.NewObjectHandler(add)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan httpapi.Addresses, 1)
	server, err := httpapi.New(rt, httpapi.Options{
		Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler), Ready: func(a httpapi.Addresses) { ready <- a },
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { panic(server.Serve(context.Background())) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := <-ready
	if err := childLedger(dir).write("serving", fmt.Sprint(os.Getpid()), at.Ingress, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		files, _ := os.ReadDir("/dev/fd")
		_ = json.NewEncoder(w).Encode(vitals{runtime.NumGoroutine(), len(files), server.Stats().IngressConnections})
	})))
}

// victim is a running TestVictim.
type victim struct {
	t       *testing.T
	address string
	probe   string
	client  *http.Client
}

func startVictim(t *testing.T) *victim {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), envVictim+"="+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); transport.CloseIdleConnections() })
	at := strings.Fields(childLedger(dir).await(t, "serving", fmt.Sprint(cmd.Process.Pid)))
	return &victim{t: t, address: at[0], probe: "http://" + at[1], client: &http.Client{Transport: transport, Timeout: patience}}
}

func (v *victim) vitals() (now vitals) {
	v.t.Helper()
	resp, err := http.Get(v.probe)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&now); err != nil {
		v.t.Fatal(err)
	}
	return now
}

// p99 makes calls one after the other, at least so many and for so long, and
// returns the duration that one in a hundred takes longer than.
func (v *victim) p99(calls int, long time.Duration) time.Duration {
	v.t.Helper()
	var took []time.Duration
	for began := time.Now(); len(took) < calls || time.Since(began) < long; {
		start := time.Now()
		r := ask(v.client, "POST", "http://"+v.address+"/Quick/"+strconv.Itoa(len(took)%50)+"/add", strconv.Itoa(len(took)))
		took = append(took, time.Since(start))
		if r.status != 200 {
			v.t.Fatalf("a normal call gets %v", r)
		}
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// attackers are a running TestAttackers.
type attackers struct {
	t       *testing.T
	orders  io.WriteCloser
	reports *bufio.Scanner
}

func startAttackers(t *testing.T, address string, clients int) *attackers {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAttackers$", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), envAttacked+"="+address, envClients+"="+strconv.Itoa(clients))
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	reports, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &attackers{t: t, orders: orders, reports: bufio.NewScanner(reports)}
}

// order gives an order and waits until it is carried out.
func (a *attackers) order(what string) {
	a.t.Helper()
	if _, err := io.WriteString(a.orders, what+"\n"); err != nil {
		a.t.Fatal(err)
	}
	for a.reports.Scan() {
		if a.reports.Text() == what {
			return
		}
	}
	a.t.Fatalf("the attackers are gone: %v", a.reports.Err())
}

// TestSlowAndBrokenClientsDoNotStopOthers compares the slowest normal calls with
// and without attackers, several times in turn, because the machine has other
// things to do: one time within the bound is enough. Then nothing of them may be
// left.
func TestSlowAndBrokenClientsDoNotStopOthers(t *testing.T) {
	if os.Getenv(envVictim) != "" || os.Getenv(envAttacked) != "" {
		t.Skip("this is a child")
	}
	skipLong(t)
	const rounds, factor, least = 5, 3, 2 * time.Millisecond
	calls, long := 500, time.Second
	if *attackClients > 1000 {
		calls, long = 2000, 5*time.Second
	}
	v := startVictim(t)
	v.p99(calls/2, 0) // warm
	quiet := v.vitals()
	a := startAttackers(t, v.address, *attackClients)
	held := false
	for round := range rounds {
		before := v.p99(calls, long)
		a.order("attack")
		during, open := v.p99(calls, long), v.vitals()
		a.order("leave")
		t.Logf("round %d: p99 quiet %v, with %d attackers %v; the victim had %+v", round, before, *attackClients, during, open)
		if open.Connections < *attackClients*8/10 {
			t.Errorf("only %d connections were open", open.Connections)
		}
		left(t, v, quiet)
		if held = during <= factor*max(before, least); held {
			break
		}
	}
	if !held {
		t.Errorf("in no round of %d did normal calls stay within %d times of what they take without attackers", rounds, factor)
	}
}

// left waits until the victim has no more goroutines and descriptors than before
// the attack. The store opens and closes files of its own.
func left(t *testing.T, v *victim, before vitals) {
	t.Helper()
	const ofTheStore = 8
	var now vitals
	deadline := time.Now().Add(2 * patience)
	for {
		if now = v.vitals(); now.Connections <= before.Connections && now.Goroutines <= before.Goroutines+2 && now.Descriptors <= before.Descriptors+ofTheStore {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the attackers have left and the victim has %+v, before it had %+v", now, before)
		}
		<-time.After(20 * time.Millisecond)
	}
}
