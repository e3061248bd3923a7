package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// asProgram makes the test binary run main instead of the tests.
const asProgram = "TESTSERVICES_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command returns the program on a directory, with further flags.
func command(dir string, flags ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"-ingress", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-data", dir}, flags...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// start starts the program and returns the URL of its ingress.
func start(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	serving := regexp.MustCompile(`serving ingress=(\S+) admin=(\S+)`)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if at := serving.FindStringSubmatch(lines.Text()); at != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return "http://" + at[1]
		}
	}
	t.Fatal("the program ended before it served")
	return ""
}

// post returns status and body of a call.
func post(t *testing.T, url, body string) string {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(text)
}

func TestTheProgramServesTheServicesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"-inactivity", "0"}} {
		cmd := command(t.TempDir(), flags...)
		url := start(t, cmd)
		if got, want := post(t, url+"/Counter/c/add", "2"), `200 OK {"oldValue":0,"newValue":2}`; got != want {
			t.Errorf("add answers %s, want %s", got, want)
		}
		if got, want := post(t, url+"/TestUtilsService/sleepConcurrently", "[10,20]"), "200 OK "; got != want {
			t.Errorf("sleepConcurrently answers %s, want %s", got, want)
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the program ended with %d", code)
		}
	}
}

func TestTheProgramSaysWhyItCannotStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, command(dir))
	out, err := command(dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "testservices: open the data directory") {
		t.Errorf("%v: %s", err, out)
	}
}
