package actors_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/faults"
	restate "github.com/dormouse-run/dormouse/objects"
)

// Environment of the child that the kill loop runs and kills.
const (
	envChildDir     = "DORMOUSE_KILL_DIR"
	envChildIngress = "DORMOUSE_KILL_INGRESS"
	envChildAdmin   = "DORMOUSE_KILL_ADMIN"
	envChildWorld   = "DORMOUSE_KILL_WORLD"
	envChildPoint   = "DORMOUSE_KILL_POINT" // POINT:N, the N-th pass of a point; empty for none
	envChildHit     = "DORMOUSE_KILL_HIT"   // the file that is written when it is hit
	envChildPower   = "DORMOUSE_KILL_POWER" // the file system whose power is cut then; empty for none
	envChildLies    = "DORMOUSE_KILL_LIES"  // not empty: once it serves, nothing that is committed is synced
	envChildHours   = "DORMOUSE_KILL_HOURS" // how far the child's clock is ahead
)

// TestKillChild is the process that the kill loop kills; by itself it does
// nothing.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(envChildDir)
	if dir == "" {
		t.Skip("it runs as the child of TestKillLoop")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := httpapi.Config{
		Dir: dir, Ingress: os.Getenv(envChildIngress), Admin: os.Getenv(envChildAdmin),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if os.Getenv(envChildLies) != "" {
		c.Ready = func(httpapi.Addresses) {
			if err := faults.IgnoreMsync(); err != nil {
				panic(err)
			}
		}
	}
	ahead, err := strconv.Atoi(os.Getenv(envChildHours))
	if err != nil {
		t.Fatal(err)
	}
	c.Runtime.Clock = hours(time.Duration(ahead) * time.Hour)
	c.Runtime.CloseGrace = 2 * time.Second
	actors.SetTrace(&c.Runtime, killAt(os.Getenv(envChildPoint), os.Getenv(envChildHit), os.Getenv(envChildPower)))
	w := &childWorld{url: os.Getenv(envChildWorld), client: &http.Client{Timeout: 10 * time.Second}}
	if err := httpapi.Run(ctx, c, w.services()...); err != nil {
		t.Fatal(err)
	}
}

// killAt returns a trace that ends the process at the given pass of a point, leaving a
// note of it in the file hit. When power is not empty, that file system loses its power
// before.
func killAt(spec, hit, power string) func(actors.Point) {
	name, pass, ok := strings.Cut(spec, ":")
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(pass, 10, 64)
	if err != nil {
		panic(err)
	}
	var passes atomic.Int64
	return func(p actors.Point) {
		if p.String() != name || passes.Add(1) != n {
			return
		}
		if err := os.WriteFile(hit, []byte(name), 0o600); err != nil {
			panic(err)
		}
		if power != "" {
			if err := faults.CutPower(power); err != nil {
				panic(err)
			}
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		select {} // the signal is on its way
	}
}

// childWorld is the handlers' way to the outside: the parent, which outlives
// every child and so remembers what happened.
type childWorld struct {
	url    string
	client *http.Client
	inside sync.Map // key -> *atomic.Int32
}

func (w *childWorld) post(ctx context.Context, path, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	resp, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// enter notes that code of key runs, and tells the parent when other code of
// the key runs too.
func (w *childWorld) enter(key string) (leave func()) {
	v, _ := w.inside.LoadOrStore(key, new(atomic.Int32))
	n := v.(*atomic.Int32)
	if n.Add(1) > 1 {
		if err := w.post(context.Background(), "/overlap", key); err != nil {
			panic(err)
		}
	}
	return func() { n.Add(-1) }
}

func (w *childWorld) services() []restate.ServiceDefinition {
	brief := restate.WithInactivityTimeout(5 * time.Millisecond)
	own := []restate.ServiceDefinition{
		restate.NewObject("Account", brief).Handler("add", restate.NewObjectHandler(w.add)),
		restate.NewObject("Order", brief).
			Handler("append", restate.NewObjectHandler(w.appendItem)).
			Handler("list", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) ([]int, error) {
				return restate.Get[[]int](ctx, "list")
			})),
		restate.NewObject("Steps", brief).Handler("run", restate.NewObjectHandler(w.steps)),
		restate.NewObject("Waiter", brief).Handler("wait", restate.NewObjectHandler(w.wait)),
		w.sheets(), w.vault(),
	}
	return slices.Concat(own, w.flows(), w.acts())
}

func (w *childWorld) add(ctx restate.ObjectContext, amount int) (int, error) {
	defer w.enter("Account/" + restate.Key(ctx))()
	n, err := restate.Get[int](ctx, "n")
	if err != nil {
		return 0, err
	}
	n += amount
	restate.Set(ctx, "n", n)
	return n, nil
}

func (w *childWorld) appendItem(ctx restate.ObjectContext, item int) (restate.Void, error) {
	defer w.enter("Order/" + restate.Key(ctx))()
	list, err := restate.Get[[]int](ctx, "list")
	if err != nil {
		return restate.Void{}, err
	}
	restate.Set(ctx, "list", append(list, item))
	return restate.Void{}, nil
}

// stepsInput asks for Run steps under a label.
type stepsInput struct {
	Label string `json:"label"`
}

const stepsPerRun = 3

// steps has an effect in each of its steps, sleeps between them, and calls
// another key at the end.
func (w *childWorld) steps(ctx restate.ObjectContext, in stepsInput) (int, error) {
	defer w.enter("Steps/" + restate.Key(ctx))()
	sum := 0
	for i := range stepsPerRun {
		v, err := restate.Run(ctx, func(rc restate.RunContext) (int, error) {
			return i + 1, w.post(rc, "/effect", fmt.Sprintf("%s %d %s", in.Label, i, restate.RunKey(rc)))
		}, restate.WithName("step"), restate.WithInitialRetryInterval(10*time.Millisecond))
		if err != nil {
			return 0, err
		}
		sum += v
		if err := restate.Sleep(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	if _, err := restate.Object[int](ctx, "Account", "called", "add").Request(1); err != nil {
		return 0, err
	}
	return sum, nil
}

// wait hands out an awakeable and returns its answer.
func (w *childWorld) wait(ctx restate.ObjectContext, token string) (string, error) {
	defer w.enter("Waiter/" + restate.Key(ctx))()
	return w.handOut(ctx, token)
}
