package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/faults"
	restate "github.com/dormouse-run/dormouse/objects"
)

// patience is how long tests wait for what should come at once.
const patience = time.Minute

// order is a transfer to another account.
type order struct {
	To     string
	Amount int
}

// statement is what an account looks like. Whole says that its two large values,
// which are written together, are equal.
type statement struct {
	Balance, Orders int
	Whole           bool
}

// bankServices are accounts, whose balances add up to zero whenever no money is on its
// way, and a drawer for large things.
func bankServices() []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		restate.NewObject("Account").
			Handler("transfer", restate.NewObjectHandler(transfer)).
			Handler("deposit", restate.NewObjectHandler(deposit)).
			Handler("ask", restate.NewObjectHandler(ask)).
			Handler("look", restate.NewObjectSharedHandler(look)),
		restate.NewObject("Drawer").
			Handler("put", restate.NewObjectHandler(func(ctx restate.ObjectContext, v []byte) (restate.Void, error) {
				restate.Set(ctx, "thing", v, restate.WithBinary)
				return restate.Void{}, nil
			}, restate.WithBinary)).
			Handler("get", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) ([]byte, error) {
				return restate.Get[[]byte](ctx, "thing", restate.WithBinary)
			}, restate.WithBinary)),
	}
}

func transfer(ctx restate.ObjectContext, o order) (int, error) {
	balance, err := restate.Get[int](ctx, "balance")
	if err != nil {
		return 0, err
	}
	n, err := restate.Get[int](ctx, "orders")
	if err != nil {
		return 0, err
	}
	n++
	page := strings.Repeat(fmt.Sprintf("%08d", n), 500)
	restate.Set(ctx, "left", page)
	restate.Set(ctx, "balance", balance-o.Amount)
	restate.Set(ctx, "orders", n)
	restate.Set(ctx, "right", page)
	restate.ObjectSend(ctx, "Account", o.To, "deposit").Send(o.Amount)
	return n, nil
}

func deposit(ctx restate.ObjectContext, amount int) (restate.Void, error) {
	balance, err := restate.Get[int](ctx, "balance")
	restate.Set(ctx, "balance", balance+amount)
	return restate.Void{}, err
}

func ask(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return restate.Awakeable[string](ctx).Result()
}

func look(ctx restate.ObjectSharedContext, _ restate.Void) (s statement, err error) {
	if s.Balance, err = restate.Get[int](ctx, "balance"); err != nil {
		return s, err
	}
	if s.Orders, err = restate.Get[int](ctx, "orders"); err != nil {
		return s, err
	}
	left, err := restate.Get[string](ctx, "left")
	if err != nil {
		return s, err
	}
	right, err := restate.Get[string](ctx, "right")
	s.Whole = left == right && (s.Orders == 0) == (left == "")
	return s, err
}

// bank is a running program.
type bank struct {
	t              testing.TB
	ingress, admin string
	// leave stops it.
	leave func()
}

func config(dir string) httpapi.Config {
	return httpapi.Config{
		Dir: dir, Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Runtime: actors.Options{InactivityTimeout: time.Millisecond},
	}
}

// openBank runs a program in this process.
func openBank(t testing.TB, dir string, change ...func(*httpapi.Config)) *bank {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	c := config(dir)
	c.Ready = func(a httpapi.Addresses) { ready <- a }
	for _, fn := range change {
		fn(&c)
	}
	go func() { ended <- httpapi.Run(ctx, c, bankServices()...) }()
	b := &bank{t: t}
	b.leave = func() {
		b.leave = func() {}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	select {
	case a := <-ready:
		b.ingress, b.admin = "http://"+a.Ingress, "http://"+a.Admin
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() { b.leave() })
	return b
}

// envBank is the directory of a program of its own.
const envBank = "DORMOUSE_TEST_BANK"

// TestBankChild is a program that others start and kill; by itself it does nothing.
func TestBankChild(t *testing.T) {
	dir := os.Getenv(envBank)
	if dir == "" {
		t.Skip("it runs as the child of other tests")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := config(filepath.Join(dir, "data"))
	c.Ready = func(a httpapi.Addresses) { fmt.Println("serving", a.Ingress, a.Admin) }
	if err := httpapi.Run(ctx, c, bankServices()...); err != nil {
		t.Fatal(err)
	}
}

// spawn starts a program of its own; kill ends it.
func spawn(t *testing.T, dir string) (b *bank, kill func()) {
	t.Helper()
	cmd := faults.Child("TestBankChild", 5*time.Minute, envBank+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = func() {
		if cmd.Process.Kill() == nil {
			_ = cmd.Wait() // it reports its death as an error
		}
	}
	t.Cleanup(kill)
	b = &bank{t: t}
	var ingress, admin string
	if _, err := fmt.Fscanf(out, "serving %s %s\n", &ingress, &admin); err != nil {
		t.Fatal(err)
	}
	b.ingress, b.admin = "http://"+ingress, "http://"+admin
	return b, kill
}

// post calls a handler and returns status, header and body; the status is 0
// without an answer.
func (b *bank) post(path string, body []byte, contentType string) (int, http.Header, []byte) {
	resp, err := http.Post(b.ingress+path, contentType, bytes.NewReader(body))
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	return resp.StatusCode, resp.Header, content
}

// call calls a handler with JSON; an answer that is no success fails the test.
func (b *bank) call(path, body string) string {
	b.t.Helper()
	kind := "application/json"
	if body == "" {
		kind = ""
	}
	status, _, content := b.post(path, []byte(body), kind)
	if status/100 != 2 {
		b.t.Fatalf("%s: %d %s", path, status, content)
	}
	return string(content)
}

// send sends to a handler without input and returns the id of the invocation.
func (b *bank) send(path string) string {
	b.t.Helper()
	status, header, content := b.post(path+"/send", nil, "")
	if status != http.StatusAccepted {
		b.t.Fatalf("%s: %d %s", path, status, content)
	}
	return header.Get("X-Restate-Id")
}

func (b *bank) look(account string) (s statement) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.call("/Account/"+account+"/look", "")), &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// attach returns the result of an invocation.
func (b *bank) attach(id string) string {
	b.t.Helper()
	resp, err := http.Get(b.ingress + "/restate/attach/" + id)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("attach %s: %s %s, %v", id, resp.Status, content, err)
	}
	return string(content)
}

// dormouse runs the command and returns its exit code and what it says.
func dormouse(ctx context.Context, args ...string) (code int, out, err string) {
	var o, e strings.Builder
	code = run(ctx, console{in: strings.NewReader(""), out: &o, err: &e}, args)
	return code, o.String(), e.String()
}

// mustRun runs the command, which must succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, out, err := dormouse(t.Context(), args...)
	if code != exitGood {
		t.Fatalf("dormouse %q exits with %d: %s", args, code, err)
	}
	return out
}

// mustFail runs the command, which must exit with code and say something.
func mustFail(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	got, _, err := dormouse(t.Context(), args...)
	if got != code || !strings.Contains(err, says) {
		t.Errorf("dormouse %q exits with %d and says %q, want %d and %q", args, got, err, code, says)
	}
}

// entries lists a directory.
func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = f.Name()
	}
	return strings.Join(names, " ")
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}
