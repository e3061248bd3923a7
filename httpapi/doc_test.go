package httpapi_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// docServices are those of docs/http.md, between its markers word for word.
func docServices() []restate.ServiceDefinition {
	// docs/http.md
	counter := restate.NewObject("Counter").
		Handler("add", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
			sum, err := restate.Get[int](ctx, "sum")
			restate.Set(ctx, "sum", sum+n)
			return sum + n, err
		}))
	greeter := restate.NewService("Greeter").
		Handler("greet", restate.NewServiceHandler(func(_ restate.Context, name string) (string, error) {
			if name == "" {
				return "", restate.TerminalErrorf("nobody is there")
			}
			return "hello " + name, nil
		}))
	approval := restate.NewObject("Approval").
		Handler("ask", restate.NewObjectHandler(func(ctx restate.ObjectContext, what string) (bool, error) {
			a := restate.Awakeable[bool](ctx)
			restate.Set(ctx, "id", a.Id()) // a real one would mail it
			return a.Result()
		})).
		Handler("id", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
			id, err := restate.Get[string](ctx, "id")
			return id, err
		}))
	order := restate.NewWorkflow("Order").
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, item string) (string, error) {
			paid, err := restate.Promise[string](ctx, "paid").Result()
			return item + ", paid by " + paid, err
		})).
		Handler("pay", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, by string) (restate.Void, error) {
			return restate.Void{}, restate.Promise[string](ctx, "paid").Resolve(by)
		}))
	// docs/http.md ends
	return []restate.ServiceDefinition{counter, greeter, approval, order}
}

const httpDoc = "../docs/http.md"

func TestTheServicesOfTheHTTPPageAreThoseOfItsTest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(httpDoc)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("doc_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := bytes.Cut(source, []byte("\t// docs/http.md\n"))
	code, _, found := bytes.Cut(code, []byte("\t// docs/http.md ends\n"))
	code = bytes.ReplaceAll(append([]byte("\n"), code...), []byte("\n\t"), []byte("\n"))
	if !found || !bytes.Contains(page, bytes.TrimSpace(code)) {
		t.Errorf("%s does not have the services of doc_test.go", httpDoc)
	}
}

// TestTheCommandsOfTheHTTPPageDoWhatItSays runs the page as one shell script.
// Three dots in an answer stand for anything.
func TestTheCommandsOfTheHTTPPageDoWhatItSays(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"curl", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("it takes %s: %v", tool, err)
		}
	}
	var major, minor int
	version, err := exec.CommandContext(t.Context(), "curl", "--version").Output()
	if _, scanErr := fmt.Sscanf(string(version), "curl %d.%d", &major, &minor); err != nil || scanErr != nil || major < 7 || major == 7 && minor < 84 {
		t.Skipf("it takes curl 7.84, which knows --json and %%header, and this is %q", version)
	}
	page, err := os.ReadFile(httpDoc)
	if err != nil {
		t.Fatal(err)
	}
	h := openHouseOn(t, persistence.NewMemory(), actors.Options{Services: docServices(), Logger: slog.New(slog.DiscardHandler)})
	commands, answers := consoleOf(string(page))
	if len(commands) < 20 {
		t.Fatalf("the page has %d commands", len(commands))
	}
	var script strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&script, "%s\necho; echo @@@\n", strings.ReplaceAll(c, "localhost:8080", strings.TrimPrefix(h.ingress, "http://")))
	}
	run := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	run.Stderr = os.Stderr
	output, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(output), "\n@@@\n")
	for n, command := range commands {
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(answers[n]), `\.\.\.`, ".*") + "$"
		if text := strings.TrimSpace(got[n]); !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s\nsays  %s\nwants %s", command, text, answers[n])
		}
	}
}

// consoleOf returns the commands of a page, and what it says they print.
func consoleOf(page string) (commands, answers []string) {
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && isCommand:
			commands, answers = append(commands, command), append(answers, "")
		case inside:
			answers[len(answers)-1] = strings.TrimSpace(answers[len(answers)-1] + "\n" + line)
		}
	}
	return commands, answers
}
