package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// asProgram makes the test binary run main instead of the tests.
const asProgram = "APPROVAL_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a running approval program.
type program struct {
	t       *testing.T
	cmd     *exec.Cmd
	ingress string
	admin   string
}

// start runs the program on dir and waits until it serves.
func start(t *testing.T, dir string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(os.Args[0], "-ingress", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-data", dir)}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	log, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	serving := regexp.MustCompile(`serving ingress=(\S+) admin=(\S+)`)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if at := serving.FindStringSubmatch(lines.Text()); at != nil {
			p.ingress, p.admin = "http://"+at[1], "http://"+at[2]
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return p
		}
	}
	t.Fatal("the program ended before it served")
	return nil
}

// end sends a signal, waits, and returns the exit code.
func (p *program) end(s syscall.Signal) int {
	_ = p.cmd.Process.Signal(s)
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// answer is what a request got.
type answer struct {
	status int
	body   string
}

func (p *program) do(method, url, body string, headers ...string) answer {
	p.t.Helper()
	a, err := send(method, url, body, headers...)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func send(method, url, body string, headers ...string) (answer, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(b)}, err
}

// ask posts a request that waits; its answer arrives on the channel.
func (p *program) ask(who, what, callback string) <-chan answer {
	answers := make(chan answer, 1)
	body, _ := json.Marshal(Question{What: what, Callback: callback})
	go func() {
		a, err := send("POST", p.ingress+"/Approval/"+who+"/request", string(body), "Content-Type", "application/json")
		if err != nil {
			a.body = err.Error()
		}
		answers <- a
	}()
	return answers
}

func (p *program) status(who string) string {
	return p.do("GET", p.ingress+"/Approval/"+who+"/status", "").body
}

func (p *program) complete(id, verb, body string) {
	p.t.Helper()
	if a := p.do("POST", p.ingress+"/restate/awakeables/"+id+"/"+verb, body); a.status != http.StatusAccepted {
		p.t.Errorf("%s %s: %+v", verb, id, a)
	}
}

// approvers receives notices. It refuses the first one.
func approvers(t *testing.T) (url string, notices <-chan Notice) {
	received := make(chan Notice, 16)
	var refused atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !refused.Swap(true) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var n Notice
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil || r.Header.Get("Idempotency-Key") == "" {
			t.Errorf("a notice without content or key: %v", err)
		}
		received <- n
	}))
	t.Cleanup(s.Close)
	return s.URL, received
}

func TestDecisionsReturnAndRequestsOfOnePersonQueue(t *testing.T) {
	t.Parallel()
	callback, notices := approvers(t)
	p := start(t, t.TempDir())
	laptop := p.ask("alice", "a laptop", callback)
	first := <-notices
	if first.Who != "alice" || first.What != "a laptop" {
		t.Errorf("the notice is %+v", first)
	}
	if got, want := p.status("alice"), `{"waiting":"`+first.ID+`","last":""}`; got != want {
		t.Errorf("status is %s", got)
	}
	yacht := p.ask("alice", "a yacht", callback)
	// Another person is asked at once, while alice still thinks.
	desk := p.ask("bob", "a desk", callback)
	bob := <-notices
	if bob.Who != "bob" {
		t.Fatalf("asked %+v before the first question was answered", bob)
	}
	p.complete(bob.ID, "resolve", `"yes"`)
	if a := <-desk; a.status != 200 || a.body != `"yes"` {
		t.Errorf("bob: %+v", a)
	}

	p.complete(first.ID, "resolve", `"approved"`)
	if a := <-laptop; a.status != 200 || a.body != `"approved"` {
		t.Errorf("the laptop: %+v", a)
	}
	second := <-notices
	p.complete(second.ID, "reject", "too expensive")
	p.complete(second.ID, "resolve", `"too late"`)
	if a := <-yacht; a.status != 500 || !strings.Contains(a.body, `"message":"too expensive","source":"invocation"`) {
		t.Errorf("the yacht: %+v", a)
	}
	if got, want := p.status("alice"), `{"waiting":null,"last":"rejected: too expensive"}`; got != want {
		t.Errorf("status is %s", got)
	}
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
}

func TestARequestSurvivesAKill(t *testing.T) {
	t.Parallel()
	callback, notices := approvers(t)
	dir := t.TempDir()
	p := start(t, dir)
	body := `{"what":"a chair","callback":"` + callback + `"}`
	sent := p.do("POST", p.ingress+"/Approval/carol/request/send", body, "Content-Type", "application/json", "Idempotency-Key", "k-1")
	if sent.status != http.StatusAccepted {
		t.Fatalf("send: %+v", sent)
	}
	notice := <-notices
	p.end(syscall.SIGKILL)

	p = start(t, dir)
	p.complete(notice.ID, "resolve", `"yes"`)
	if a := p.do("GET", p.ingress+"/restate/invocation/Approval/carol/request/k-1/attach", ""); a.status != 200 || a.body != `"yes"` {
		t.Errorf("attach: %+v", a)
	}
	again := p.do("POST", p.ingress+"/Approval/carol/request", body, "Content-Type", "application/json", "Idempotency-Key", "k-1")
	if again.status != 200 || again.body != `"yes"` {
		t.Errorf("the same request again: %+v", again)
	}
	if code := p.end(syscall.SIGINT); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
}

func TestACancelIsNoDecision(t *testing.T) {
	t.Parallel()
	callback, notices := approvers(t)
	p := start(t, t.TempDir())
	var sent struct{ InvocationID string }
	accepted := p.do("POST", p.ingress+"/Approval/dave/request/send", `{"what":"a door","callback":"`+callback+`"}`, "Content-Type", "application/json")
	if err := json.Unmarshal([]byte(accepted.body), &sent); err != nil {
		t.Fatal(err)
	}
	<-notices
	if a := p.do("PATCH", p.admin+"/invocations/"+sent.InvocationID+"/cancel", ""); a.status != http.StatusAccepted {
		t.Errorf("cancel: %+v", a)
	}
	if a := p.do("GET", p.ingress+"/restate/invocation/"+sent.InvocationID+"/attach", ""); a.status != http.StatusConflict {
		t.Errorf("attach: %+v", a)
	}
	if got, want := p.status("dave"), `{"waiting":null,"last":""}`; got != want {
		t.Errorf("status is %s", got)
	}
}

func TestACallThatWaitsAtStopGetsNoAnswer(t *testing.T) {
	t.Parallel()
	callback, notices := approvers(t)
	p := start(t, t.TempDir())
	waiting := p.ask("erin", "a window", callback)
	<-notices
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("the program ended with %d", code)
	}
	if a := <-waiting; a.status != 0 {
		t.Errorf("answered: %+v", a)
	}
}

func TestASecondProgramOnTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir)
	second := exec.Command(os.Args[0], "-ingress", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-data", dir)
	second.Env = append(os.Environ(), asProgram+"=1")
	out, err := second.CombinedOutput()
	if err == nil || second.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "open the data directory") {
		t.Errorf("%v: %s", err, out)
	}
}
