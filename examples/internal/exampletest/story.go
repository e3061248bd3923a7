package exampletest

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Tell does what the package comment of doc.go says and checks every answer.
// The flags are added to those of each start in the story.
func Tell(t *testing.T, flags ...string) {
	t.Helper()
	lines, err := storyOf("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, dir: t.TempDir(), flags: flags, names: map[string]string{}}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		var want []string
		for ; i+1 < len(lines) && strings.HasPrefix(lines[i+1], "#"); i++ {
			want = append(want, strings.TrimSpace(lines[i+1][1:]))
		}
		if err := s.step(line, want); err != nil {
			t.Fatalf("%s\n%v", line, err)
		}
	}
	if s.program == nil || s.requests == 0 {
		t.Fatal("the package comment tells no story")
	}
}

// storyOf returns the indented lines of a package comment. A line that ends in
// a backslash goes on in the next one.
func storyOf(file string) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return nil, err
	}
	var lines []string
	continued := ""
	for _, line := range strings.Split(f.Doc.Text(), "\n") {
		code, indented := strings.CutPrefix(line, "\t")
		if !indented {
			continue
		}
		if part, more := strings.CutSuffix(code, `\`); more {
			continued += part
			continue
		}
		lines = append(lines, continued+strings.TrimSpace(code))
		continued = ""
	}
	return lines, nil
}

// story is one telling.
type story struct {
	t        *testing.T
	dir      string
	flags    []string
	names    map[string]string
	program  *Program
	requests int
}

// step does one line. Lines that are no commands are examples of something
// else.
func (s *story) step(line string, want []string) error {
	assigned := regexp.MustCompile(`^(\w+)=\$\((curl .*) \| (.*)\)$`).FindStringSubmatch(line)
	// The environment of the test is that of the program.
	line = regexp.MustCompile(`^([A-Z_]+=\w+ )+`).ReplaceAllString(line, "")
	verb, _, _ := strings.Cut(line, " ")
	switch {
	case assigned != nil:
		return s.assign(assigned[1], assigned[2], assigned[3])
	case verb == "go":
		s.start(strings.Fields(strings.TrimSuffix(line, "&")))
	case verb == "kill":
		s.program.Kill()
	case verb == "curl":
		return s.request(line, func(lines []string) error { return compare(want, lines) })
	}
	return nil
}

// start does go run, unless that is another program: such ones are the business
// of the test.
func (s *story) start(words []string) {
	here, err := os.Getwd()
	if err != nil {
		s.t.Fatal(err)
	}
	if words[2] == "." || path.Base(words[2]) == filepath.Base(here) {
		s.program = Start(s.t, s.dir, append(slices.Clone(s.flags), words[3:]...)...)
	}
}

// assign remembers what a filter leaves of an answer.
func (s *story) assign(name, command, filter string) error {
	keep, err := filterOf(filter)
	if err != nil {
		return err
	}
	return s.request(command, func(lines []string) error {
		if s.names[name] = keep(strings.Join(lines, "\n")); s.names[name] == "" {
			return fmt.Errorf("%s leaves nothing of %q", filter, lines)
		}
		return nil
	})
}

// request sends what a curl line says. A GET is repeated until check is content.
func (s *story) request(line string, check func(lines []string) error) error {
	if s.requests++; s.program == nil {
		return errors.New("no line before it starts the program with go run")
	}
	c, err := parseCurl(s.expand(line))
	if err != nil {
		return err
	}
	var failure error
	attempt := func() bool {
		failure = check(s.send(c))
		return failure == nil
	}
	if c.method != http.MethodGet {
		attempt()
		return failure
	}
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%s: %v", line, failure)
		}
	}()
	Eventually(s.t, line, attempt)
	return failure
}

// send returns the answer as curl prints it.
func (s *story) send(c curl) []string {
	url := strings.Replace(c.url, "localhost:8080", s.program.Ingress, 1)
	url = strings.Replace(url, "localhost:9070", s.program.Admin, 1)
	a := Do(c.method, url, c.body, c.headers...)
	var lines []string
	if c.include {
		lines = append(lines, fmt.Sprintf("HTTP/1.1 %d %s", a.Status, http.StatusText(a.Status)))
		for _, name := range slices.Sorted(maps.Keys(a.Header)) {
			lines = append(lines, strings.ToLower(name)+": "+a.Header.Get(name))
		}
	}
	return append(lines, strings.Split(strings.TrimSpace(a.Body), "\n")...)
}

// expand puts in what was remembered.
func (s *story) expand(line string) string {
	return regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(line, func(name string) string {
		if value, ok := s.names[name[1:]]; ok {
			return value
		}
		return name
	})
}

// compare checks that every wanted line was printed, in this order.
func compare(want, got []string) error {
	left := got
	for _, w := range want {
		at := slices.IndexFunc(left, func(line string) bool { return fits(w, line) })
		if at < 0 {
			return fmt.Errorf("is answered %q\n         want %q", got, want)
		}
		left = left[at+1:]
	}
	return nil
}

// filterOf understands grep -o 'pattern' and cut -d'"' -fN.
func filterOf(text string) (func(string) string, error) {
	if m := regexp.MustCompile(`^grep -o '([^']*)'$`).FindStringSubmatch(text); m != nil {
		pattern, err := regexp.Compile(m[1])
		return func(s string) string { return pattern.FindString(s) }, err
	}
	if m := regexp.MustCompile(`^cut -d'"' -f(\d+)$`).FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		return func(s string) string {
			if fields := strings.Split(s, `"`); n <= len(fields) {
				return fields[n-1]
			}
			return ""
		}, err
	}
	return nil, fmt.Errorf("the filter %q is not understood", text)
}
