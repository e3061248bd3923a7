package conformance_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestTheTableNamesEveryCase holds docs/conformance.md to the tests: 61 rows, in
// order, each with a test that exists, and every test of a case in one row.
func TestTheTableNamesEveryCase(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The tests of cases, and no others, have an underscore in their names.
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+_\w+)\(`).FindAllSubmatch(source, -1) {
			tests[string(match[1])] = true
		}
	}
	rows := regexp.MustCompile("(?m)^\\| (\\d+) \\| .* \\| `(Test\\w+)` \\|").FindAllSubmatch(table, -1)
	for i, row := range rows {
		equal(t, "the number of the row", string(row[1]), strconv.Itoa(i+1))
		if name := string(row[2]); !tests[name] {
			t.Errorf("row %d names %s, which does not exist, or stands in another row", i+1, name)
		}
		delete(tests, string(row[2]))
	}
	equal(t, "rows", len(rows), 61)
	for name := range tests {
		t.Errorf("%s is in no row", name)
	}
}
