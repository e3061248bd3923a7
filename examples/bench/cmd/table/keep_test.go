package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAPartOfATableDoesNotReplaceAWholeOne(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"table.json":         {"-reps", "5"},
		"table-partial.json": {"-w", "w1"},
	} {
		c, err := parse(args)
		if err != nil || filepath.Base(c.kept()) != name {
			t.Errorf("%v is kept in %+v, %v", args, c, err)
		}
	}
	if c, err := parse([]string{"-short"}); err != nil || filepath.Base(c.kept()) != "table-partial.json" {
		t.Errorf("a check is kept in %+v, %v", c, err)
	}
}

func TestHowItWasMeasuredFitsTheNumberOfRounds(t *testing.T) {
	t.Parallel()
	for rounds, want := range map[string]string{"1": "One round of 4s ", "3": "Medians of up to 3 rounds of 4s "} {
		if c, err := parse([]string{"-reps", rounds}); err != nil || !strings.HasPrefix(c.how(), want) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if _, err := parse([]string{"-reps", "0"}); err == nil {
		t.Error("no round was accepted")
	}
}
